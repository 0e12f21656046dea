const binsPerOctave = 64

/** Counts latencies in bins with a width of 1 %. A latency costs one addition, and percentiles need no sort. */
export function latencyHistogram() {
  const bins = new Uint32Array(32 * binsPerOctave)
  let total = 0

  return {
    add(latencyMicros: number) {
      const index = Math.round(Math.log2(Math.max(1, latencyMicros)) * binsPerOctave)
      bins[Math.min(index, bins.length - 1)]! += 1
      total++
    },
    /** Returns the percentile of the latencies for `share` (0 to 1), in ms. */
    percentileMs(share: number) {
      let seen = 0
      const index = bins.findIndex(count => (seen += count) >= share * total)
      return total === 0 ? NaN : 2 ** (index / binsPerOctave) / 1000
    },
  }
}
