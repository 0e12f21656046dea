import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * Returns a function that reads the explorer's gzipped browser bundle at its first call, and keeps it. A worker thread
 * reads it and exits: the package is 5 MB of JavaScript, whose parsing would block the event loop and whose text would
 * stay in memory.
 */
export function lazyBundle(read = readBundle): () => Promise<Buffer> {
  let bundle: Promise<Buffer> | undefined
  return () => {
    bundle ??= read().catch((error: unknown) => {
      // Clear the failed promise, so that the next call reads the bundle again.
      bundle = undefined
      throw error
    })
    return bundle
  }
}

async function readBundle(): Promise<Buffer> {
  // The file is .ts in the sources and .js once built. The worker does not get the command-line flags of this process.
  const worker = new Worker(new URL(`./bundle-worker${extname(import.meta.url)}`, import.meta.url), { execArgv: [] })
  const exited = once(worker, 'exit').then(() => {
    throw new Error("the worker thread exited before it sent the explorer's bundle")
  })
  const [bytes] = await Promise.race([once(worker, 'message') as Promise<[Uint8Array]>, exited])
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
