import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/**
 * Removes the types from TypeScript modules. A worker thread does it and exits: Node.js warns in the thread that first
 * uses this function, and the service would write the warning to its log. Only a service that runs from its sources
 * needs it.
 *
 * @param urls - The files of the modules.
 * @returns The texts, in the order of the files.
 * @throws What the thread throws: a file that cannot be read, or a text that is not TypeScript.
 */
export async function stripTypes(urls: readonly URL[]): Promise<readonly string[]> {
  const worker = new Worker(new URL('./strip-worker.ts', import.meta.url), {
    workerData: urls.map(url => url.href),
    execArgv: ['--no-warnings'],
  })
  const [texts] = (await once(worker, 'message')) as [readonly string[]]
  return texts
}
