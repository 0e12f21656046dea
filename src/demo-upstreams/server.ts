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
  /** Goes out in the `server` header. */
  name: string
  routes: readonly DemoRoute[]
  /** Gives the delay of the next answer in milliseconds; 0 answers at once. */
  latency: () => number
  /**
   * The share of requests that go wrong, 0 to 1.
   * @default 0
   */
  faultRate?: number
  /**
   * The ways in which requests go wrong.
   * @default all
   */
  faultKinds?: readonly FaultKind[] | undefined
  /**
   * Equal seeds give equal faults, request by request.
   * @default 1
   */
  seed?: number
  /**
   * 0 takes any free port.
   * @default 0
   */
  port?: number
}

/** A running demo upstream. */
export interface DemoUpstream {
  readonly origin: string
  /** The number of requests seen. */
  readonly requests: number
  /** The number of answers that wait for their time. */
  readonly pending: number
  /** Sets the share of requests that go wrong from now on, 0 to 1. */
  setFaultRate: (rate: number) => void
  /** Ends at once, with every connection and every answer not yet given. */
  close: () => Promise<void>
}

// Longer than any client keeps an idle connection, so that none is reused in the moment it is closed.
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
