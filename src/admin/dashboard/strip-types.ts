import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** A text without types, or why it cannot be had: the file cannot be read, or is not TypeScript. */
export type Stripped = { readonly text: string } | { readonly error: unknown }

/**
 * Removes the types from TypeScript modules. A worker thread does it and exits: Node.js warns in the thread that first
 * uses this function, and the service would write the warning to its log. Only a service that runs from its sources
 * needs it.
 *
 * @param urls - The files of the modules.
 * @returns The texts or errors, in the order of the files.
 */
export async function stripTypes(urls: readonly URL[]): Promise<readonly Stripped[]> {
  const worker = new Worker(new URL('./strip-worker.ts', import.meta.url), {
    workerData: urls.map(url => url.href),
    execArgv: ['--no-warnings'],
  })
  const [results] = (await once(worker, 'message')) as [readonly Stripped[]]
  return results
}
