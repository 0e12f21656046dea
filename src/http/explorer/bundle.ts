import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * Reads the explorer's browser bundle, gzipped where nothing else is given, when it is first asked for, and keeps it. A
 * thread of its own does the work and ends: the package is 5 MB of JavaScript, whose parsing would stop the event loop
 * and whose text would stay in memory.
 */
export function lazyBundle(read = readBundle): () => Promise<Buffer> {
  let bundle: Promise<Buffer> | undefined
  return () => {
    bundle ??= read().catch((error: unknown) => {
      // The next one who asks tries again.
      bundle = undefined
      throw error
    })
    return bundle
  }
}

async function readBundle(): Promise<Buffer> {
  // The file is .ts in the sources and .js once built; flags of this process are not for it.
  const worker = new Worker(new URL(`./bundle-worker${extname(import.meta.url)}`, import.meta.url), { execArgv: [] })
  const early = once(worker, 'exit').then(() => {
    throw new Error("the thread that reads the explorer's bundle ended without it")
  })
  const [bytes] = await Promise.race([once(worker, 'message') as Promise<[Uint8Array]>, early])
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
