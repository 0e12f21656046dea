const mebibyte = 2 ** 20

/** The largest size of the three semi-spaces that V8 reserves for young objects: 3 × 64 MiB. */
const mostYoungBytes = 192 * mebibyte

/** Without flags a semi-space is 1/64 of the old generation, so the three semi-spaces are 3/67 of the heap. */
const youngShare = 3 / 67

export interface HeapSetting {
  /** `heap_size_limit` of `v8.getHeapStatistics()`, which includes the space reserved for young objects. */
  readonly heapSizeLimit: number
  /** The flags of the process. The flags of `NODE_OPTIONS` are first. */
  readonly flags: readonly string[]
  /** The memory to which `--max-old-space-size-percentage` refers, in bytes. */
  readonly memoryBytes: number
  /** `maxOldGenerationSizeMb` of a worker thread. */
  readonly threadLimitMb?: number | undefined
}

/**
 * Returns the limit of the old generation, in bytes. V8 ends the process when it reaches this limit. Node.js does not
 * report the limit, so it is read from the flags, or otherwise computed from `heap_size_limit` (V8:
 * `Heap::ConfigureHeap` and `Heap::YoungGenerationSizeFromOldGenerationSize` in src/heap/heap.cc).
 */
export function oldSpaceLimit({ heapSizeLimit, flags, memoryBytes, threadLimitMb }: HeapSetting): number {
  const given = (name: string) => valueOf(flags, name)
  const percentage = given('max-old-space-size-percentage')
  const stated =
    percentage === undefined
      ? (given('max-old-space-size') ?? threadLimitMb)
      : Math.floor(((percentage / 100) * memoryBytes) / mebibyte)
  if (stated !== undefined) return Math.min(stated * mebibyte, heapSizeLimit)
  return heapSizeLimit - youngBytes(heapSizeLimit, given('max-semi-space-size'), flags)
}

function youngBytes(heapSizeLimit: number, semiSpaceMb: number | undefined, flags: readonly string[]): number {
  // V8 rounds the size of a semi-space up to a power of two.
  if (semiSpaceMb !== undefined) return 3 * 2 ** Math.ceil(Math.log2(semiSpaceMb)) * mebibyte
  if (flags.some(flag => /^--(?:optimize[-_]for[-_]size|lite[-_]mode)$/.test(flag))) return 3 * mebibyte
  return Math.min(mostYoungBytes, Math.floor(heapSizeLimit * youngShare))
}

/** Returns the value of the last flag with a name. The words of a flag are joined by `-` or `_`. */
function valueOf(flags: readonly string[], name: string): number | undefined {
  let value: number | undefined
  for (const flag of flags) {
    const at = flag.indexOf('=')
    if (at === -1 || flag.slice(2, at).replaceAll('_', '-') !== name) continue
    const number = Number(flag.slice(at + 1).replaceAll('"', ''))
    if (number > 0) value = number
  }
  return value
}
