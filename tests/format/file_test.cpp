#include <cstring>
#include <random>

#include "catch.h"
#include "coco/buffer.h"
#include "coco_generated.h"
#include "format/container.h"
#include "format/program.h"
#include "tests/format/programs.h"

using namespace coco;
using namespace coco::format;
using namespace coco::format::testing;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes written(const Program& program) {
  Result<Bytes> bytes = write_program(program);
  REQUIRE(bytes.ok());
  return std::move(bytes).value();
}

Error refused(const Bytes& bytes) {
  Result<Program> program = read_program(bytes, nullptr);
  REQUIRE_FALSE(program.ok());
  return program.take_error();
}

bool names(const Error& error, const char* part) { return error.message.find(part) != std::string::npos; }

uint64_t number_at(const Bytes& file, size_t at) {
  uint64_t value;
  std::memcpy(&value, file.data() + at, sizeof value);
  return value;
}

void put_number(Bytes& file, size_t at, uint64_t value) { std::memcpy(file.data() + at, &value, sizeof value); }

// A file with this body and these constants, its header right.
Bytes sealed(std::span<const uint8_t> body, std::span<const uint8_t> constants = {}) {
  Bytes file(align_constant(kHeaderBytes + body.size()) + constants.size());
  std::copy(body.begin(), body.end(), file.begin() + kHeaderBytes);
  std::copy(constants.begin(), constants.end(), file.end() - static_cast<ptrdiff_t>(constants.size()));
  seal_container(file, body.size());
  return file;
}

// Changes a program's body at the level of the schema.
Bytes edited(const Program& program, const std::function<void(fb::ProgramT&)>& edit) {
  const Bytes file = written(program);
  std::unique_ptr<fb::ProgramT> body(fb::GetProgram(file.data() + kHeaderBytes)->UnPack());
  edit(*body);
  flatbuffers::FlatBufferBuilder builder;
  fb::FinishProgramBuffer(builder, fb::CreateProgram(builder, body.get()));
  return sealed({builder.GetBufferPointer(), builder.GetSize()}, std::span(file).last(number_at(file, 24)));
}

// The promise of the reader: an error with a message, or a program that verifies.
bool keeps_promise(const Bytes& bytes) {
  const Result<Program> program = read_program(bytes, nullptr);
  if (!program.ok()) return !program.error().message.empty();
  if (!verify(*program).ok()) return false;
  uint64_t sum = 0;
  for (const Value& value : program->values) {
    for (const uint8_t byte : value.constant.bytes) sum += byte;
  }
  return !to_text(*program, {}).empty() && sum < UINT64_MAX;
}

/// An attribute of an operator; one that has its default is added.
fb::AttrT& attribute(fb::ProgramT& program, size_t op, const std::string& name) {
  auto& attrs = program.operators[op]->attrs;
  for (const auto& attr : attrs) {
    if (attr->name == name) return *attr;
  }
  attrs.push_back(std::make_unique<fb::AttrT>());
  attrs.back()->name = name;
  return *attrs.back();
}

}  // namespace

TEST_CASE("programs go into files and back unchanged") {
  for (const Program& program : {small_network(), every_operator(), packed_network()}) {
    const Bytes file = written(program);
    std::string sha256;
    const Result<Program> back = read_program(file, nullptr, &sha256);
    REQUIRE(back.ok());
    CHECK(to_text(*back, {}) == to_text(program, {}));
    CHECK(sha256.size() == 64);
    CHECK(back->inputs == program.inputs);
    CHECK(back->outputs == program.outputs);
    REQUIRE(back->values.size() == program.values.size());
    for (size_t i = 0; i < program.values.size(); ++i) {
      const auto before = program.values[i].constant.bytes, after = back->values[i].constant.bytes;
      CHECK(program.values[i].is_constant() == back->values[i].is_constant());
      CHECK(std::equal(before.begin(), before.end(), after.begin(), after.end()));
      CHECK(reinterpret_cast<uintptr_t>(after.data()) % 64 == 0);
    }
    CHECK(back->card.name == program.card.name);
    CHECK(back->card.description == program.card.description);
    CHECK(back->card.licence == program.card.licence);
    CHECK(back->card.training_data == program.card.training_data);
    CHECK(back->card.command == program.card.command);
    CHECK(back->card.range == program.card.range);
    CHECK(back->card.scale == program.card.scale);
    CHECK(back->card.figures == program.card.figures);
    CHECK(written(*back) == file);
  }
}

TEST_CASE("every operator and parameter is in the round trip's program") {
  const Program program = every_operator();
  std::vector<bool> seen(kOpKindCount);
  for (const Operator& op : program.operators) seen[static_cast<size_t>(op.kind())] = true;
  for (int i = 0; i < kOpKindCount; ++i) {
    INFO(to_string(static_cast<OpKind>(i)));
    CHECK(seen[static_cast<size_t>(i)]);
  }
  // Each parameter differs from its default at least once.
  std::string text;
  for (const Operator& op : program.operators)
    text += "|" + std::string(to_string(op.kind())) + " " + to_text(op.params);
  for (const char* name : {"kernel",
                           "stride",
                           "dilation",
                           "pads",
                           "group",
                           "activation",
                           "act_a",
                           "act_b",
                           "output_padding",
                           "kind",
                           "a=",
                           "b=",
                           "axis",
                           "axes",
                           "starts",
                           "ends",
                           "steps",
                           "mode",
                           "value",
                           "coordinates",
                           "nearest",
                           "cubic_a",
                           "exclude_outside",
                           "scales",
                           "sizes",
                           "block",
                           "perm",
                           "shape",
                           "allow_zero",
                           "transpose_a",
                           "transpose_b",
                           "keep_dims",
                           "smallest",
                           "last",
                           "k=",
                           "end",
                           "log",
                           "ceil_mode",
                           "count_padding",
                           "p=",
                           "epsilon",
                           "groups",
                           "repeats",
                           "to=",
                           "most",
                           "overlap",
                           "threshold",
                           "use_threshold",
                           "centered",
                           "padding",
                           "align_corners",
                           "hidden",
                           "direction",
                           "input_forget",
                           "reset_after"}) {
    INFO(name);
    CHECK(text.find(name) != std::string::npos);
  }
}

TEST_CASE("constants stay where the file lies when it is kept") {
  const Bytes file = written(small_network());
  auto memory = std::make_shared<Buffer>(Buffer::allocate(file.size() + 1).value());
  auto* data = static_cast<uint8_t*>(memory->data());
  const auto inside = [&](const Program& program) {
    const uint8_t* at = program.values[1].constant.bytes.data();
    return at >= data && at < data + file.size();
  };
  std::copy(file.begin(), file.end(), data);
  Result<Program> mapped = read_program({data, file.size()}, memory);
  REQUIRE(mapped.ok());
  CHECK(inside(*mapped));
  Result<Program> copied = read_program({data, file.size()}, nullptr);
  REQUIRE(copied.ok());
  CHECK_FALSE(inside(*copied));
  std::copy(file.begin(), file.end(), data + 1);
  Result<Program> unaligned = read_program({data + 1, file.size()}, memory);
  REQUIRE(unaligned.ok());
  CHECK_FALSE(inside(*unaligned));
  const std::weak_ptr<Buffer> alive = memory;
  memory.reset();
  CHECK_FALSE(alive.expired());
  mapped = make_error(ErrorCode::kInternal, "");
  CHECK(alive.expired());
}

TEST_CASE("header damage is named") {
  const Bytes good = written(small_network());
  CHECK(refused({}).code == ErrorCode::kInvalidData);
  CHECK(names(refused({}), "empty"));
  Bytes file = good;
  SECTION("wrong magic") {
    file[0] = 'X';
    CHECK(names(refused(file), "does not start with"));
  }
  SECTION("newer version") {
    file[4] = 7;
    const Error error = refused(file);
    CHECK(error.code == ErrorCode::kUnsupported);
    CHECK(names(error, "version 7"));
    CHECK(names(error, "version 2"));
  }
  SECTION("version 0") {
    file[4] = 0;
    CHECK(refused(file).code == ErrorCode::kInvalidData);
  }
  SECTION("wrong checksum") {
    file.back() ^= 1;
    CHECK(names(refused(file), "checksum"));
    file = good;
    file[40] ^= 1;
    CHECK(names(refused(file), "checksum"));
  }
  SECTION("a byte more") {
    file.push_back(0);
    CHECK(refused(file).code == ErrorCode::kInvalidData);
  }
  SECTION("absurd sizes") {
    for (const size_t at : {8, 16, 24}) {
      for (const uint64_t value : {UINT64_MAX, UINT64_MAX - 63, uint64_t{1} << 63, uint64_t{1} << 40, uint64_t{0}}) {
        file = good;
        put_number(file, at, value);
        CHECK(refused(file).code == ErrorCode::kInvalidData);
      }
    }
  }
}

TEST_CASE("a file cut anywhere is refused as truncated or damaged") {
  const Bytes good = written(every_operator());
  for (size_t length = 0; length < good.size(); length += length < 256 ? 1 : 13) {
    const Error error = refused(Bytes(good.begin(), good.begin() + static_cast<ptrdiff_t>(length)));
    if (error.code != ErrorCode::kInvalidData) FAIL(length << ": " << error.message);
    if (length >= kHeaderBytes && !names(error, "truncated")) FAIL(length << ": " << error.message);
  }
}

TEST_CASE("a flipped byte is caught by the checksum") {
  const Bytes good = written(small_network());
  for (size_t at = 0; at < good.size(); ++at) {
    Bytes file = good;
    file[at] ^= 0xff;
    if (read_program(file, nullptr).ok()) FAIL("byte " << at);
  }
}

TEST_CASE("a byte changed under a right checksum never breaks the reader") {
  for (const Program& program : {small_network(), every_operator(), packed_network()}) {
    const Bytes good = written(program);
    const auto body = static_cast<size_t>(number_at(good, 8));
    for (size_t at = kHeaderBytes; at < kHeaderBytes + body; ++at) {
      for (const int change : {0x01, 0x80, 0xff}) {
        Bytes file = good;
        file[at] ^= static_cast<uint8_t>(change);
        seal_container(file, body);
        if (!keeps_promise(file)) FAIL("byte " << at << " changed by " << change);
      }
    }
  }
}

TEST_CASE("several bytes changed under a right checksum never break the reader") {
  const Bytes good = written(every_operator());
  const auto body = static_cast<size_t>(number_at(good, 8));
  std::mt19937 random(20240607);
  for (int round = 0; round < 3000; ++round) {
    Bytes file = good;
    for (int i = 0; i < 4; ++i) file[kHeaderBytes + random() % body] = static_cast<uint8_t>(random());
    seal_container(file, body);
    if (!keeps_promise(file)) FAIL("round " << round);
  }
}

TEST_CASE("bodies that are no program are refused") {
  CHECK(names(refused(sealed({})), "malformed"));
  CHECK(names(refused(sealed(Bytes(100, 0))), "malformed"));
  CHECK(names(refused(sealed(Bytes(100, 0xff))), "malformed"));
  flatbuffers::FlatBufferBuilder builder;
  fb::FinishProgramBuffer(builder, fb::CreateProgram(builder));
  CHECK(names(refused(sealed({builder.GetBufferPointer(), builder.GetSize()})), "no input"));
}

TEST_CASE("what this build does not know is unsupported, by name") {
  const Program program = small_network();
  Error error = refused(edited(program, [](fb::ProgramT& p) { p.operators[1]->kind = "Warp3d"; }));
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK(names(error, "'Warp3d'"));
  CHECK(names(error, "'op1'"));
  error = refused(edited(program, [](fb::ProgramT& p) { attribute(p, 1, "kernel").name = "curvature"; }));
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK(names(error, "'curvature'"));
  CHECK(names(error, "Conv2d"));
  error = refused(edited(program, [](fb::ProgramT& p) { attribute(p, 2, "mode").text = "spiral"; }));
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK(names(error, "'spiral'"));
  error = refused(edited(program, [](fb::ProgramT& p) { p.values[0]->type = 99; }));
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK(names(error, "99"));
}

TEST_CASE("attributes left out keep their defaults") {
  const Bytes file = edited(small_network(), [](fb::ProgramT& p) { p.operators[2]->attrs.clear(); });
  const Result<Program> program = read_program(file, nullptr);
  REQUIRE(program.ok());
  CHECK(std::get<DepthToSpaceParams>(program->operators[2].params).block == 2);
}

TEST_CASE("wrong attributes are refused") {
  const auto first = [](fb::ProgramT & p, const char* name) -> auto& { return attribute(p, 0, name); };
  const auto is_damaged = [&](const std::function<void(fb::ProgramT&)>& edit) {
    return refused(edited(small_network(), edit)).code == ErrorCode::kInvalidData;
  };
  CHECK(is_damaged([&](fb::ProgramT& p) { first(p, "kernel").ints = {3}; }));
  CHECK(is_damaged([&](fb::ProgramT& p) { first(p, "kernel").ints = {3, 3, 3}; }));
  CHECK(is_damaged([&](fb::ProgramT& p) { first(p, "kernel").ints.clear(); }));
  CHECK(is_damaged([&](fb::ProgramT& p) { first(p, "kernel").ints = {3, INT64_MAX}; }));
  CHECK(is_damaged([&](fb::ProgramT& p) { first(p, "stride").ints = {INT64_MIN, 0}; }));
  CHECK(is_damaged([&](fb::ProgramT& p) { first(p, "stride").name = "kernel"; }));
  CHECK(is_damaged([&](fb::ProgramT& p) { first(p, "act_a").floats.clear(); }));
  CHECK(is_damaged([&](fb::ProgramT& p) {
    for (int i = 0; i < 100; ++i) p.operators[0]->attrs.push_back(std::make_unique<fb::AttrT>());
  }));
}

TEST_CASE("constants must lie in the file and fit their shapes") {
  const auto refusal = [](const std::function<void(fb::Extent&)>& edit) {
    return refused(edited(small_network(), [&](fb::ProgramT& p) { edit(*p.values[1]->constant); }));
  };
  CHECK(names(refusal([](fb::Extent& e) { e = fb::Extent(32, 72); }), "outside"));
  CHECK(names(refusal([](fb::Extent& e) { e = fb::Extent(uint64_t{1} << 40, 72); }), "outside"));
  CHECK(names(refusal([](fb::Extent& e) { e = fb::Extent(UINT64_MAX - 63, 72); }), "outside"));
  CHECK(names(refusal([](fb::Extent& e) { e = fb::Extent(0, UINT64_MAX); }), "outside"));
  CHECK(names(refusal([](fb::Extent& e) { e = fb::Extent(0, 68); }), "needs 72 bytes"));
}

TEST_CASE("packed constants are smaller, and hold what they claim") {
  const Program program = packed_network();
  // Head, bits of 36 blocks, 4 of 9 taps in f32; a dense bias; head, bits, all taps in f16.
  CHECK(number_at(written(program), 24) == align_constant(4 + 5 + 16 * 8 * 4 * 4) + 64 + 4 + 5 + 16 * 8 * 9 * 2);
  const auto refusal = [&](const std::function<void(fb::ProgramT&, fb::ValueT&)>& edit) {
    return refused(edited(program, [&](fb::ProgramT& p) { edit(p, *p.values[1]); }));
  };
  CHECK(refusal([](fb::ProgramT&, fb::ValueT& v) { v.packing = 9; }).code == ErrorCode::kUnsupported);
  CHECK(names(refusal([](fb::ProgramT&, fb::ValueT& v) { v.packing = 0; }), "needs 4608 bytes"));
  CHECK(names(refusal([](fb::ProgramT&, fb::ValueT& v) { *v.constant = fb::Extent(0, 64); }), "too small"));
  CHECK(names(refusal([](fb::ProgramT&, fb::ValueT& v) { *v.constant = fb::Extent(0, 2048); }), "another number"));
  CHECK(names(refusal([](fb::ProgramT&, fb::ValueT& v) { v.shape = {16, 8, 3, 4}; }), "another number"));
  CHECK(names(refusal([](fb::ProgramT&, fb::ValueT& v) { v.shape = {16, -8, 3, 3}; }), "no bounded shape"));
  CHECK(names(refusal([](fb::ProgramT&, fb::ValueT& v) { v.shape = {1 << 20, 1 << 20, 3, 3}; }), "no bounded shape"));
  CHECK(names(refusal([](fb::ProgramT& p, fb::ValueT& v) {
                for (int i = 0; i < 3; ++i) p.values.push_back(std::make_unique<fb::ValueT>(v));
              }),
              "overlaps"));
}

TEST_CASE("tables that share one big list cannot ask for more memory than the file has") {
  flatbuffers::FlatBufferBuilder builder;
  const auto big = builder.CreateVector(std::vector<int64_t>(Limits::kMaxListLength, 1));
  const auto name = builder.CreateString("shape");
  std::vector<flatbuffers::Offset<fb::Attr>> attr{fb::CreateAttr(builder, name, big)};
  const auto attrs = builder.CreateVector(attr);
  const auto kind = builder.CreateString("Reshape");
  const auto op = fb::CreateOperator(builder, kind, 0, 0, 0, attrs);
  const auto ops = builder.CreateVector(std::vector<flatbuffers::Offset<fb::Operator>>(Limits::kMaxOperators, op));
  fb::FinishProgramBuffer(builder, fb::CreateProgram(builder, 0, 0, ops));
  CHECK(names(refused(sealed({builder.GetBufferPointer(), builder.GetSize()})), "overlap"));
}

TEST_CASE("lists and texts beyond the limits are refused") {
  const auto is_damaged = [](const std::function<void(fb::ProgramT&)>& edit) {
    return refused(edited(small_network(), edit)).code == ErrorCode::kInvalidData;
  };
  CHECK(is_damaged([](fb::ProgramT& p) { p.values[0]->shape.resize(9, 1); }));
  CHECK(is_damaged([](fb::ProgramT& p) { p.values[0]->name.resize(Limits::kMaxStringBytes + 1); }));
  CHECK(is_damaged([](fb::ProgramT& p) { p.operators[0]->inputs.resize(Limits::kMaxListLength + 1); }));
  CHECK(is_damaged([](fb::ProgramT& p) { p.inputs.resize(Limits::kMaxListLength + 1); }));
  CHECK(is_damaged([](fb::ProgramT& p) { p.card->scale = 17; }));
}

TEST_CASE("a program that does not verify is not written") {
  Program program = small_network();
  program.outputs.clear();
  const Result<Bytes> file = write_program(program);
  REQUIRE_FALSE(file.ok());
  CHECK(file.error().code == ErrorCode::kInvalidData);
}
