import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Test } from 'tap'
import { startDemoUpstreams, type DemoUpstreamsOptions } from '../../src/demo-upstreams/index.ts'
import { countingProxy } from './counting-proxy.ts'

/** What an upstream has seen of its client. */
export interface Count {
  /** Connections open now, and the most there were at once. */
  readonly open: number
  readonly most: number
  readonly asked: number
  readonly answered: number
}

type Message = Readonly<Record<string, string>> | Readonly<Record<string, Count>>

/**
 * Starts demo upstreams on a thread of their own, so that their work is not taken for the service's, each behind a
 * proxy that counts.
 */
export async function upstreamsApart(t: Test, options: DemoUpstreamsOptions) {
  const worker = new Worker(new URL(import.meta.url), { workerData: options, execArgv: [] })
  t.teardown(() => worker.terminate())
  const next = async <M extends Message>() => ((await once(worker, 'message')) as [M])[0]
  return {
    origins: await next<Readonly<Record<string, string>>>(),
    counts() {
      worker.postMessage('counts')
      return next<Readonly<Record<string, Count>>>()
    },
  }
}

async function work(): Promise<void> {
  const { origins } = await startDemoUpstreams(workerData as DemoUpstreamsOptions)
  const proxies = await Promise.all(
    Object.entries(origins).map(async ([name, origin]) => [name, await countingProxy(origin)] as const),
  )
  parentPort?.on('message', () =>
    parentPort?.postMessage(
      Object.fromEntries(
        proxies.map(([name, { open, most, asked, answered }]) => [name, { open, most, asked, answered }]),
      ),
    ),
  )
  parentPort?.postMessage(Object.fromEntries(proxies.map(([name, { origin }]) => [name, origin])))
}

if (!isMainThread) await work()
