import { promisify } from 'node:util'
import { gunzip, gunzipSync, gzip } from 'node:zlib'
import type { Entry } from '../../upstream/policies/cache/entry.ts'

const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** The level of compression. A higher one takes several times as long for texts that are a tenth shorter. */
const level = 1

/** Compressed bodies up to this size are read at once, because a thread would take longer. In bytes. */
const maxSyncBytes = 16 * 1024

/**
 * Returns the text of an entry: JSON, with the field `z` in place of `body` if the body is compressed. `z` is gzip in
 * base64. The body is compressed in another thread.
 *
 * @param compressAbove Bodies with more characters are compressed, if that makes them shorter.
 */
export function writeEntry(entry: Entry & { readonly body: string }, compressAbove: number): string | Promise<string> {
  return entry.body.length > compressAbove ? writeCompressed(entry) : JSON.stringify(entry)
}

async function writeCompressed(entry: Entry & { readonly body: string }): Promise<string> {
  const { body, ...rest } = entry
  const z = (await compress(body, { level })).toString('base64')
  return JSON.stringify(z.length < body.length ? { ...rest, z } : entry)
}

/**
 * Reads the text of an entry. A text that cannot be read is returned as it is: the cache reports and removes a value
 * that is not an entry.
 *
 * @param maxBytes The largest body, in bytes. A small text can expand to a large body.
 */
export function readEntryText(text: string, maxBytes: number): unknown {
  const stored = parsed(text)
  if (typeof stored !== 'object' || stored === null || !('z' in stored)) return stored
  const { z, ...rest } = stored
  if (typeof z !== 'string') return text
  const bytes = Buffer.from(z, 'base64')
  const limits = { maxOutputLength: maxBytes }
  const withBody = (body: Buffer) => ({ ...rest, body: body.toString() })
  if (bytes.length > maxSyncBytes) return decompress(bytes, limits).then(withBody, () => text)
  try {
    return withBody(gunzipSync(bytes, limits))
  } catch {
    return text
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
