/* Tables of random numbers: see include/xr/random.h. */
#include "xr/random.h"

#include "checks.h"
#include "draws.h"
#include "philox.h"

int64_t xr_random_words(int64_t count, const uint32_t *counter, const uint32_t *key, uint32_t *words) {
  for (int64_t i = 0; i < count; i++) {
    uint32_t word[4] = {counter[4 * i], counter[4 * i + 1], counter[4 * i + 2], counter[4 * i + 3]};
    xr_philox_one(word, key[0], key[1]);
    memcpy(words + 4 * i, word, sizeof word);
  }
  return 0;
}

typedef void xr_draw(const xr_drawn *drawn, uint32_t pair, double *even, double *odd);

static inline int64_t table(xr_draw *draw, int64_t paths, int64_t steps, uint64_t seed, int64_t stream,
                            int64_t first_path, int64_t first_step, int64_t stride, double *numbers) {
  const xr_refusal refusal = xr_refuse_draws(paths, 0, steps, 1, stream, 3, first_path, 4, first_step, 5);
  if (refusal) return xr_fault(refusal, 0);
  if (stride < paths) return xr_fault(xr_refuse(XR_INCONSISTENT, 6), 0);
  xr_block both[2];
  xr_drawn drawn;
  for (int64_t done = 0; done < paths;) {
    const int64_t lane = (first_path + done) % XR_BLOCK;
    const int64_t first = first_path + done - lane;
    const int64_t width = xr_smaller(XR_BLOCK - lane, paths - done);
    xr_drawn_from(&drawn, seed, (uint32_t)stream, (uint64_t)first);
    for (int64_t step = first_step; step < first_step + steps;) {
      draw(&drawn, (uint32_t)(step / 2), both[0], both[1]);
      do {
        memcpy(numbers + (step - first_step) * stride + done, both[step % 2] + lane, (size_t)width * sizeof(double));
        step++;
      } while (step % 2 && step < first_step + steps);
    }
    done += width;
  }
  return 0;
}

int64_t xr_random_uniforms(int64_t paths, int64_t steps, uint64_t seed, int64_t stream, int64_t first_path,
                           int64_t first_step, int64_t stride, double *numbers) {
  return table(xr_uniform_block, paths, steps, seed, stream, first_path, first_step, stride, numbers);
}

int64_t xr_random_normals(int64_t paths, int64_t steps, uint64_t seed, int64_t stream, int64_t first_path,
                          int64_t first_step, int64_t stride, double *numbers) {
  return table(xr_normal_block, paths, steps, seed, stream, first_path, first_step, stride, numbers);
}
