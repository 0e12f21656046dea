/** The number of buckets per doubling of the duration. Half the width of a bucket is 4.5 % of a duration in it. */
const perDoubling = 8

/** The number of doublings, from `shortest` to 65 s. */
const doublings = 20

/** The upper bound of the durations of the first bucket is a little above this time, in ms. */
const shortest = 1 / 16

/** The number of buckets. */
export const latencyBuckets = perDoubling * doublings

/** Returns the bucket of a duration, in ms. */
export function latencyBucketOf(ms: number): number {
  const bucket = Math.floor(Math.log2(ms / shortest) * perDoubling)
  // A duration of 0 has no logarithm.
  return bucket > 0 ? Math.min(bucket, latencyBuckets - 1) : 0
}

/** Returns the duration that stands for those of a bucket, in ms: its geometric mean. */
export function latencyOf(bucket: number): number {
  return shortest * 2 ** ((bucket + 0.5) / perDoubling)
}

/** Counts durations in buckets that are much narrower than those of the metrics. */
export class LatencyCounts {
  /** The number of durations by bucket. */
  readonly counts = new Float64Array(latencyBuckets)

  add(ms: number): void {
    const bucket = latencyBucketOf(ms)
    this.counts[bucket] = (this.counts[bucket] as number) + 1
  }
}
