import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Test } from 'tap'

export interface StrayUpstreamOptions {
  /**
   * When it closes a connection after an answer, without saying so: with the answer, so many ms later, or never.
   * @default 'never'
   */
  readonly closes?: 'with the answer' | 'never' | number
  /** Sent as soon as a connection is there. */
  readonly greeting?: string
  readonly tls?: TlsOptions
}

/** An answer that belongs to no request. */
export const strayAnswer = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n"stray"'

/** What a server says when it closes an idle connection (RFC 9110, section 15.5.9). */
export const strayTimeout = 'HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'

/** Something that comes on every open connection, unasked. */
export type Stray = { readonly bytes: string } | 'end' | 'reset'

/**
 * An upstream on a thread of its own, which answers each request with its path in JSON, and sends bytes that were not
 * asked for. It goes on while this thread's loop is held up.
 */
export async function strayUpstream(t: Test, options: StrayUpstreamOptions = {}) {
  const written = new Int32Array(new SharedArrayBuffer(8))
  const worker = new Worker(new URL(import.meta.url), { workerData: { options, written }, execArgv: [] })
  t.teardown(() => worker.terminate())
  const [origin] = (await once(worker, 'message')) as [string]
  let greetings = 0
  return {
    origin,
    /** Holds this thread up until the stray has left the upstream, on all connections that are open. */
    stray: (stray: Stray): void => {
      Atomics.store(written, 0, 0)
      worker.postMessage(stray)
      if (Atomics.wait(written, 0, 0, 10_000) === 'timed-out') throw new Error('the upstream sent no stray')
    },
    /** Holds this thread up until one more connection has been greeted. */
    waitForGreeting: (): void => {
      if (Atomics.wait(written, 1, greetings++, 10_000) === 'timed-out')
        throw new Error('the upstream sent no greeting')
    },
  }
}

function work({ closes = 'never', greeting, tls }: StrayUpstreamOptions, written: Int32Array): void {
  const sockets = new Set<Socket>()
  const serve = (socket: Socket) => {
    let received = ''
    sockets.add(socket)
    socket.setNoDelay()
    if (greeting !== undefined) {
      socket.write(greeting, () => {
        Atomics.add(written, 1, 1)
        Atomics.notify(written, 1)
      })
    }
    socket
      .on('error', () => {})
      .on('close', () => sockets.delete(socket))
      .on('data', chunk => {
        received += chunk
        for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
          const [, path] = received.split(' ', 2)
          received = received.slice(end + 4)
          const body = JSON.stringify(path)
          const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
          if (closes === 'with the answer') socket.end(answer)
          else socket.write(answer)
          if (typeof closes === 'number') setTimeout(() => socket.end(), closes)
        }
      })
  }
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
  server.listen(0, '127.0.0.1', () =>
    parentPort?.postMessage(
      `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ),
  )
  parentPort?.on('message', (stray: Stray) => {
    void Promise.all(
      Array.from(
        sockets,
        socket =>
          new Promise<void>(resolve => {
            send(socket, stray, resolve)
          }),
      ),
    ).then(() => {
      Atomics.store(written, 0, 1)
      Atomics.notify(written, 0)
    })
  })
}

function send(socket: Socket, stray: Stray, done: () => void): void {
  if (socket.destroyed || socket.writableEnded) return done()
  if (stray === 'end') socket.end(done)
  else if (stray !== 'reset') socket.write(stray.bytes, () => done())
  else if (socket instanceof TLSSocket) socket.once('close', done).destroy()
  else socket.once('close', done).resetAndDestroy()
}

if (!isMainThread) work(workerData.options, workerData.written)
