// swscale_bench [--seconds S] [--threads N]: how fast FFmpeg's own scaler takes I420 from 1080p to 4K.
// One line of JSON per filter.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

namespace {

struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
using Frame = std::unique_ptr<AVFrame, FreeFrame>;
struct FreeScaler {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};

Frame make_frame(int width, int height) {
  Frame frame(av_frame_alloc());
  frame->width = width;
  frame->height = height;
  frame->format = AV_PIX_FMT_YUV420P;
  if (av_frame_get_buffer(frame.get(), 64) < 0) std::abort();
  unsigned state = 1;
  for (int p = 0; p < 3; ++p) {
    const int rows = p == 0 ? height : height / 2;
    for (int i = 0; i < rows * frame->linesize[p]; ++i) {
      state = state * 1664525u + 1013904223u;
      frame->data[p][i] = static_cast<uint8_t>(state >> 24);
    }
  }
  return frame;
}

bool run(const char* name, int flags, int threads, double seconds) {
  std::unique_ptr<SwsContext, FreeScaler> scaler(sws_alloc_context());
  av_opt_set_int(scaler.get(), "srcw", 1920, 0);
  av_opt_set_int(scaler.get(), "srch", 1080, 0);
  av_opt_set_int(scaler.get(), "dstw", 3840, 0);
  av_opt_set_int(scaler.get(), "dsth", 2160, 0);
  av_opt_set_int(scaler.get(), "src_format", AV_PIX_FMT_YUV420P, 0);
  av_opt_set_int(scaler.get(), "dst_format", AV_PIX_FMT_YUV420P, 0);
  av_opt_set_int(scaler.get(), "sws_flags", flags, 0);
  av_opt_set_int(scaler.get(), "threads", threads, 0);
  if (sws_init_context(scaler.get(), nullptr, nullptr) < 0) return false;
  const Frame in = make_frame(1920, 1080);
  const Frame out = make_frame(3840, 2160);
  using Clock = std::chrono::steady_clock;
  int frames = -3;  // the first frames warm caches and page tables
  auto start = Clock::now();
  double elapsed = 0;
  while (elapsed < seconds || frames < 3) {
    if (frames == 0) start = Clock::now();
    if (sws_scale_frame(scaler.get(), out.get(), in.get()) < 0) return false;
    ++frames;
    elapsed = frames > 0 ? std::chrono::duration<double>(Clock::now() - start).count() : 0;
  }
  std::printf("{\"engine\":\"swscale %s\",\"threads\":%d,\"frames\":%d,\"fps\":%.2f}\n", name, threads, frames,
              frames / elapsed);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 3;
  int threads = 2;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--seconds") seconds = std::atof(argv[i + 1]);
    if (option == "--threads") threads = std::atoi(argv[i + 1]);
  }
  const bool ok = run("bicubic", SWS_BICUBIC, threads, seconds) && run("lanczos", SWS_LANCZOS, threads, seconds);
  if (!ok) std::fprintf(stderr, "swscale_bench: the scaler refused 1920x1080 -> 3840x2160 in I420\n");
  return ok ? 0 : 1;
}
