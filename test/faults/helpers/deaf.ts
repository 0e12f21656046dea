import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Test } from 'tap'
import type { Victim } from './victim.ts'
import { within } from '../../helpers/until.ts'

/**
 * Listens on a thread that does nothing until it recovers: the kernel takes as many connections as fit into the
 * backlog, which the test opens itself, and drops the SYN of every later one without a word.
 */
export async function deaf(t: Test): Promise<Victim> {
  const lock = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL(import.meta.url), { workerData: lock, execArgv: [] })
  const wake = () => {
    Atomics.store(lock, 0, 1)
    Atomics.notify(lock, 0)
  }
  t.teardown(async () => {
    wake()
    await worker.terminate()
  })
  const [port] = (await once(worker, 'message')) as [number]

  const fillers: Socket[] = []
  t.teardown(() => {
    for (const filler of fillers) filler.destroy()
  })
  for (let isFull = false; !isFull;) {
    const filler = connect(port, '127.0.0.1').on('error', () => {})
    fillers.push(filler)
    isFull = (await within(100, once(filler, 'connect'))) === undefined
  }

  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests: [],
    open: 0,
    connections: 0,
    holds: () => Promise.resolve(),
    recover() {
      for (const filler of fillers) filler.destroy()
      wake()
    },
  }
}

function work(): void {
  const server = createServer(socket => {
    let received = ''
    socket.on('error', () => {})
    socket.on('data', part => {
      received += part.toString('latin1')
      for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
        const body = JSON.stringify({ word: received.split(' ')[1]?.split('/').at(-1) })
        received = received.slice(end + 4)
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        )
      }
    })
  })
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort?.postMessage((server.address() as AddressInfo).port)
    Atomics.wait(workerData as Int32Array, 0, 0)
  })
}

if (!isMainThread) work()
