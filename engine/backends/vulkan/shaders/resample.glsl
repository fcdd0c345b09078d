// Separable resampling by tables, vertically and then horizontally, each in rising order of taps; products are rounded
// before they are added, as kernels/resample/rows_hwy.cpp does it. Before this file: source_word(i), a word of the
// input, and table_word(i): columns' first inputs, their weights (taps_x each), rows' first inputs, their weights.
struct Resampling {
  int kind;  // of the input's samples
  float unit;
  int taps_x, taps_y;
  int in_height, pitch;  // pitch: words in a row of the input
  int width, height;     // of the result
};

float resampled(Resampling r, int channel, int x, int y) {
  const int first_x = int(table_word(x)), rows_at = r.width * (1 + r.taps_x), first_y = int(table_word(rows_at + y));
  precise float sum = 0.0;
  for (int i = 0; i < r.taps_x; ++i) {
    precise float column = 0.0;
    for (int k = 0; k < r.taps_y; ++k) {
      const uint stored =
          source_word((channel * r.in_height + first_y + k) * r.pitch + word_of(r.kind, first_x + i));
      const float weight = uintBitsToFloat(table_word(rows_at + r.height + y * r.taps_y + k));
      precise float product = weight * sample_of(stored, r.kind, first_x + i, r.unit);
      column = k == 0 ? product : column + product;
    }
    precise float product = uintBitsToFloat(table_word(r.width + x * r.taps_x + i)) * column;
    sum = i == 0 ? product : sum + product;
  }
  return sum;
}
