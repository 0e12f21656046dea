import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import type { Test } from 'tap'

/** One request that the upstream received. */
export interface Receipt {
  readonly path: string
  /** In ms on the clock of `clockMs`. */
  readonly at: number
}

/** Returns the time in ms, on a clock that all threads share. */
export const clockMs = () => performance.timeOrigin + performance.now()

/**
 * Starts an upstream on a thread of its own, so that its work does not delay its client. It answers `/MS/…` with `{}`
 * after MS milliseconds.
 */
export async function delayingUpstream(t: Test) {
  const worker = new Worker(new URL(import.meta.url), { execArgv: [] })
  t.teardown(() => worker.terminate())
  const next = async <M>() => ((await once(worker, 'message')) as [M])[0]
  return {
    origin: await next<string>(),
    /** Returns the requests since the last call of this function. */
    receipts(): Promise<readonly Receipt[]> {
      worker.postMessage('receipts')
      return next<readonly Receipt[]>()
    },
  }
}

async function work(): Promise<void> {
  const receipts: Receipt[] = []
  const server = createServer({ noDelay: true, keepAliveTimeout: 60_000 }, ({ url: path = '' }, response) => {
    receipts.push({ path, at: clockMs() })
    setTimeout(
      () => response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 }).end('{}'),
      Number(path.split('/')[1]),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  parentPort?.on('message', () => parentPort?.postMessage(receipts.splice(0)))
  parentPort?.postMessage(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

if (!isMainThread) await work()
