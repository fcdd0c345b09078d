/* Runs a model on a ramp: run_model MODEL. Dimensions the model leaves open become 16. */
#include <coco/coco.h>
#include <stdio.h>
#include <stdlib.h>

static void check(coco_error error) {
  if (error == COCO_OK) return;
  fprintf(stderr, "run_model: %s\n", coco_last_error());
  exit(1);
}

int main(int argc, char** argv) {
  coco_model* model;
  coco_session* session;
  coco_tensor_info in = {.struct_size = sizeof in}, out = {.struct_size = sizeof out};
  check(coco_model_load(argc > 1 ? argv[1] : NULL, &model));
  check(coco_model_get_input(model, 0, &in));
  coco_shape shape = {.rank = in.rank};
  for (int i = 0; i < in.rank; ++i) shape.dims[i] = in.dims[i] == COCO_DYNAMIC ? 16 : in.dims[i];
  check(coco_session_create(model, &shape, 1, NULL, &session));
  check(coco_session_get_input(session, 0, &in));
  check(coco_session_get_output(session, 0, &out));
  float *x = malloc(in.bytes), *y = malloc(out.bytes);
  for (size_t i = 0; i < in.bytes / sizeof *x; ++i) x[i] = (float)i / (float)(in.bytes / sizeof *x);
  check(coco_session_run(session, &(coco_const_buffer){x, in.bytes}, 1, &(coco_buffer){y, out.bytes}, 1));
  for (size_t i = 0; i < out.bytes / sizeof *y; ++i) printf("%s %zu %.6g\n", out.name, i, y[i]);
  coco_session_free(session);
  coco_model_free(model);
  free(x), free(y);
}
