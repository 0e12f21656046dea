const binsPerOctave = 16

/** Counts latencies in bins 4 % wide: one addition each, and no sort at the end. */
export function latencyHistogram() {
  const bins = new Uint32Array(32 * binsPerOctave)
  let total = 0

  return {
    add(latencyMicros: number) {
      const index = Math.round(Math.log2(Math.max(1, latencyMicros)) * binsPerOctave)
      bins[Math.min(index, bins.length - 1)]! += 1
      total++
    },
    /** The latency in ms that `share` of all stayed below. */
    percentileMs(share: number) {
      let seen = 0
      const index = bins.findIndex(count => (seen += count) >= share * total)
      return total === 0 ? NaN : 2 ** (index / binsPerOctave) / 1000
    },
  }
}
