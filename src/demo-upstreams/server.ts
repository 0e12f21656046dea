import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delays } from './delays.ts'
import { fault, faultAnswer, type FaultKind } from './faults.ts'
import { reset } from './reset.ts'
import type { DemoAnswer, DemoRoute } from './route.ts'
import { router } from './router.ts'

/** Options of one demo upstream. */
export interface DemoUpstreamOptions {
  /** The value of the `server` header. */
  name: string
  routes: readonly DemoRoute[]
  /** Returns the delay of the next answer in milliseconds. With 0 there is no delay. */
  latency: () => number
  /**
   * The ratio of requests with a fault, 0 to 1.
   * @default 0
   */
  faultRate?: number
  /**
   * The kinds of faults.
   * @default all
   */
  faultKinds?: readonly FaultKind[] | undefined
  /**
   * The seed. Equal seeds give equal faults for each request.
   * @default 1
   */
  seed?: number
  /**
   * The port. With 0, any free port is used.
   * @default 0
   */
  port?: number
}

/** A running demo upstream. */
export interface DemoUpstream {
  readonly origin: string
  /** The number of received requests. */
  readonly requests: number
  /** The number of delayed answers. */
  readonly pending: number
  /** Sets the ratio of later requests with a fault, 0 to 1. */
  setFaultRate: (rate: number) => void
  /** Closes the server at once. It closes every connection and drops every delayed answer. */
  close: () => Promise<void>
}

// The timeout is longer than any client keeps an idle connection, so that no client reuses a connection that is being
// closed.
const KEEP_ALIVE_MS = 75_000
const HEADERS_TIMEOUT_MS = 15_000
const REQUEST_TIMEOUT_MS = 30_000
const SLOW_FAULT_MS = 2000

const notAllowed: DemoAnswer = {
  status: 405,
  headers: { allow: 'GET, HEAD' },
  body: { message: 'Method Not Allowed', code: 405 },
}

/** Starts one demo upstream on the loopback interface. */
export async function startDemoUpstream(options: DemoUpstreamOptions): Promise<DemoUpstream> {
  const { name, routes, latency, seed = 1, port = 0, faultKinds } = options
  const answerTo = router(routes)
  const waiting = delays()
  let faultRate = options.faultRate ?? 0
  let origin = ''
  let requests = 0
  let closed: Promise<void> | undefined

  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    },
    function handle(req, res) {
      const number = requests++
      const kind = fault(seed, number, faultRate, faultKinds)
      const delayMs = latency() + (kind === 'slow' ? SLOW_FAULT_MS : 0)
      waiting.later(res, delayMs, function answer() {
        if (kind === 'reset') reset(res)
        else if (kind !== undefined && kind !== 'slow') write(req, res, faultAnswer[kind])
        else if (req.method !== 'GET' && req.method !== 'HEAD') write(req, res, notAllowed)
        else write(req, res, answerTo(req.url ?? '/', { number, origin }))
      })
    },
  )

  function write(req: IncomingMessage, res: ServerResponse, { status = 200, headers, body, text }: DemoAnswer): void {
    const content = text ?? JSON.stringify(body)
    res.writeHead(status, {
      server: name,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(content),
      ...headers,
    })
    res.end(req.method === 'HEAD' ? undefined : content)
  }

  function close(): Promise<void> {
    closed ??= new Promise(function end(resolve) {
      server.close(() => resolve())
      server.closeAllConnections()
      waiting.clear()
    })
    return closed
  }

  await new Promise<void>(function listen(resolve, reject) {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    origin,
    get requests() {
      return requests
    },
    get pending() {
      return waiting.pending
    },
    setFaultRate(rate) {
      faultRate = rate
    },
    close,
  }
}
