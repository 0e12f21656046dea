import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
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
    receipts: (): Promise<readonly Receipt[]> => {
      worker.postMessage('receipts')
      return next<readonly Receipt[]>()
    },
  }
}

const answer = Buffer.from('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
const headEnd = '\r\n\r\n'

/** The time before an answer is due from which the clock is polled, in ms. A timer alone is up to 2 ms late. */
const polledMs = 2

/** The answers that are due soon. */
class DueAnswers {
  #waiting: { readonly dueAt: number; readonly socket: Socket }[] = []
  readonly #poll = () => {
    const now = performance.now()
    this.#waiting = this.#waiting.filter(({ dueAt, socket }) => dueAt > now || void socket.write(answer))
    if (this.#waiting.length > 0) setImmediate(this.#poll)
  }

  add(socket: Socket, ms: number): void {
    const dueAt = performance.now() + ms
    setTimeout(() => {
      if (this.#waiting.push({ dueAt, socket }) === 1) setImmediate(this.#poll)
    }, ms - polledMs)
  }
}

async function work(): Promise<void> {
  const receipts: Receipt[] = []
  const due = new DueAnswers()
  // A server without HTTP of its own: the time of its work is not that of the client under test.
  const server = createServer({ noDelay: true }, socket => {
    let text = ''
    socket.on('error', () => socket.destroy())
    socket.setEncoding('latin1').on('data', chunk => {
      text += String(chunk)
      for (let end = text.indexOf(headEnd); end !== -1; end = text.indexOf(headEnd)) {
        const [, path = ''] = text.slice(0, end).split(' ')
        receipts.push({ path, at: clockMs() })
        due.add(socket, Number(path.split('/')[1]))
        text = text.slice(end + headEnd.length)
      }
    })
  })
  server.listen(0, '127.0.0.1', 1024)
  await once(server, 'listening')
  parentPort?.on('message', () => parentPort?.postMessage(receipts.splice(0)))
  parentPort?.postMessage(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

if (!isMainThread) await work()
