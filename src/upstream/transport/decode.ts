// Node.js 20 has no zstd. A named import of it would fail before the check of the Node.js version.
import zlib, { brotliDecompress, constants, gunzip, inflate } from 'node:zlib'
import { UpstreamError } from '../../errors.ts'
import type { OperationSpec } from '../spec/spec.ts'

interface DecompressOptions {
  /** The limit on the decoded size, in bytes; at least 1. */
  readonly maxOutputLength: number
  /** With `info`, the result contains the number of used input bytes. */
  readonly info: true
  readonly params?: Readonly<Record<number, number>>
}

/** The result of one decompression with `info`. */
interface Decompressed {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

type Decompress = (
  body: Buffer,
  options: DecompressOptions,
  done: (error: NodeJS.ErrnoException | null, result: Decompressed) => void,
) => void

/** One content coding. */
interface Coding {
  readonly decompress: typeof gunzip | typeof inflate | typeof brotliDecompress | typeof zlib.zstdDecompress
  readonly params?: Readonly<Record<number, number>>
  /** True if `decompress` may stop at the end of a frame although another frame follows. */
  readonly hasFrames: boolean
}

/** The largest window of a zstd frame, 2^23 bytes: RFC 9659 forbids larger ones in a content coding. */
const zstdWindowLog = 23

/**
 * The limit on the frames of one zstd body. A frame takes about 80 µs, so half a million empty frames in 5 MiB would
 * take 40 s.
 */
export const maxFrames = 1024

const gzip: Coding = { decompress: gunzip, hasFrames: false }

const codings: ReadonlyMap<string, Coding> = new Map([
  // zlib reads all members of a gzip body, and reads windows of at most 32 KiB.
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', { decompress: inflate, hasFrames: false }],
  // Windows of br have at most 16 MiB: Node.js does not enable the extension for larger ones.
  ['br', { decompress: brotliDecompress, hasFrames: false }],
  [
    'zstd',
    { decompress: zlib.zstdDecompress, params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog }, hasFrames: true },
  ],
])

/** Returns whether `decode` can decode this content coding. */
export function isDecodable(coding: string): boolean {
  return codings.has(coding)
}

/**
 * Decodes a content coding of a whole, non-empty body. Every byte of the body must belong to a complete member or
 * frame. The members of gzip and the frames of zstd are decoded and concatenated. `maxResponseBytes` of the upstream
 * limits their total size.
 *
 * @param coding A coding for which `isDecodable` returns true.
 * @param done Receives the decoded body; or `UPSTREAM_TOO_LARGE` or `UPSTREAM_ENCODING`, and the original body.
 */
export function decode(
  spec: OperationSpec,
  upstreamStatus: number,
  coding: string,
  body: Buffer,
  done: (error: UpstreamError | null, decoded: Buffer) => void,
): void {
  const { name, maxResponseBytes } = spec.upstream
  const { decompress: anyDecompress, params, hasFrames } = codings.get(coding) as Coding
  // The types of node:zlib omit the effect of `info` on the result.
  const decompress = anyDecompress as unknown as Decompress
  const decoded: Buffer[] = []
  let used = 0
  let total = 0

  const refuse = (code: 'UPSTREAM_ENCODING' | 'UPSTREAM_TOO_LARGE', detail: string, cause?: Error) => {
    done(new UpstreamError(code, name, { upstreamStatus, detail, cause }), body)
  }

  const next = () => {
    // Node.js does not accept a limit of 0, although empty frames may still follow.
    const options = {
      maxOutputLength: Math.max(1, maxResponseBytes - total),
      info: true,
      ...(params !== undefined && { params }),
    } as const
    decompress(used === 0 ? body : body.subarray(used), options, (error, result) => {
      if (error?.code === 'ERR_BUFFER_TOO_LARGE')
        return refuse('UPSTREAM_TOO_LARGE', `the limit is ${maxResponseBytes} bytes after decoding`)
      if (error !== null) return refuse('UPSTREAM_ENCODING', `its ${coding} body cannot be decoded`, error)
      const { buffer, engine } = result
      used += engine.bytesWritten
      total += buffer.length
      if (total > maxResponseBytes)
        return refuse('UPSTREAM_TOO_LARGE', `the limit is ${maxResponseBytes} bytes after decoding`)
      if (decoded.length === 0 && used === body.length) return done(null, buffer)
      if (!hasFrames) return refuse('UPSTREAM_ENCODING', `its ${coding} body has bytes after its end`)
      // Copies the result, because the result of a small frame is a slice of 16 KiB.
      decoded.push(Buffer.from(buffer))
      if (used === body.length) return done(null, Buffer.concat(decoded, total))
      if (decoded.length === maxFrames)
        return refuse('UPSTREAM_TOO_LARGE', `the limit is ${maxFrames} ${coding} frames`)
      next()
    })
  }
  next()
}
