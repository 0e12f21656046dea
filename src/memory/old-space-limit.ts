const mebibyte = 2 ** 20

/** The three semi-spaces that V8 reserves for young objects at most: 3 × 64 MiB. */
const mostYoungBytes = 192 * mebibyte

/** Without flags V8 makes a semi-space one part in 64 of the old generation, so young objects have 3 parts of 67. */
const youngShare = 3 / 67

export interface HeapSetting {
  /** `heap_size_limit` of `v8.getHeapStatistics()`, which includes the space reserved for young objects. */
  readonly heapSizeLimit: number
  /** The flags of the process, those of `NODE_OPTIONS` first. */
  readonly flags: readonly string[]
  /** The memory of which `--max-old-space-size-percentage` is a share, in bytes. */
  readonly memoryBytes: number
  /** `maxOldGenerationSizeMb` of a worker thread. */
  readonly threadLimitMb?: number | undefined
}

/**
 * Returns the bytes at which V8 ends the process for want of memory: the limit of the old generation. Node does not
 * tell it, so it is read from the flags, and otherwise computed from `heap_size_limit` (V8: `Heap::ConfigureHeap` and
 * `Heap::YoungGenerationSizeFromOldGenerationSize` in src/heap/heap.cc).
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

/** Returns the number that the last flag of a name gives. Words are joined by `-` or `_`. */
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
