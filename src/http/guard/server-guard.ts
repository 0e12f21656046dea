import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'
import type { BoundedResponse } from '../connection/bounded-response.ts'
import { isClosing } from '../connection/linger.ts'
import type { RefusalSampler } from '../log/refusal-sampler.ts'
import type { RequestCounter } from '../metrics/request-counter.ts'
import { problemBody } from '../problems/problem-body.ts'
import { defaultHeaders } from '../reply/default-headers.ts'
import { requestIdOf } from '../request/request-id.ts'
import type { ConnectionLimitState } from './connection-limit.ts'
import { countHosts } from './host-header.ts'
import type { PathIndex } from './path-index.ts'
import type { PressureGauge } from './pressure.ts'

export interface ServerGuardOptions {
  readonly gauge: PressureGauge
  readonly paths: PathIndex
  readonly readiness: { readonly state: 'starting' | 'ready' | 'draining' }
  readonly connectionLimit: Readonly<ConnectionLimitState>
  readonly requests: RequestCounter
  readonly refusals: RefusalSampler
  readonly log: FastifyBaseLogger
}

const problem = new Problem('OVERLOADED')
/** The body before and after the id of the request. An id has no character that JSON escapes. */
const [bodyStart, bodyEnd] = problemBody(problem, '\n').split('\\n') as [string, string]
const bodyLength = Buffer.byteLength(bodyStart + bodyEnd)

/** The names and values of all headers. Each refusal sets the last two values. */
const headers = [
  ...Object.entries(defaultHeaders).flat(),
  'content-type',
  'application/problem+json; charset=utf-8',
  'cache-control',
  'no-store',
  'retry-after',
  String(problem.retryAfterSeconds),
  'x-request-id',
  '',
  'content-length',
  '',
]
const idAt = headers.length - 3
const lengthAt = headers.length - 1

/**
 * Refuses requests under load at the `request` event of the server. A refusal costs a fraction of one by a hook,
 * because Fastify creates no request and no reply for it, and no hook runs.
 */
export class ServerGuard {
  readonly #options: ServerGuardOptions

  constructor(options: ServerGuardOptions) {
    this.#options = options
  }

  /** Refuses the request if the service is overloaded. Returns whether it was refused. */
  refuses(request: IncomingMessage, response: ServerResponse): boolean {
    const { gauge, paths, readiness } = this.#options
    const path = paths.find(request.url as string)
    if (path.criticality === undefined || readiness.state === 'draining' || !isPlain(request)) return false
    if (gauge.admits(path.criticality)) {
      ;(response as BoundedResponse).isAdmitted = true
      return false
    }
    this.#refuse(request, response)
    const { method } = request
    const { requests } = this.#options
    requests.refusedAtServer(path.aggregates.get(method === 'HEAD' ? 'GET' : (method as string)), request, problem)
    return true
  }

  /** Calls a function when the app has no request in flight. The function may be called several times. */
  onIdle(call: () => void): void {
    this.#options.requests.onIdle(call)
  }

  #refuse(request: IncomingMessage, response: ServerResponse): void {
    const { connectionLimit, refusals, log } = this.#options
    const id = requestIdOf(request)
    headers[idAt] = id
    headers[lengthAt] = String(bodyLength + id.length)
    if (connectionLimit.isFull) response.shouldKeepAlive = false
    response.writeHead(problem.statusCode, headers)
    response.end(bodyStart + id + bodyEnd)
    refusals.log(log, problem.code, () => ({
      reqId: id,
      code: problem.code,
      statusCode: problem.statusCode,
      remoteAddress: request.socket.remoteAddress,
    }))
  }
}

/**
 * Returns whether nothing but the load can make the service refuse a request before its route is known. Every other
 * request goes to the hooks, which check it first: the framing of its body, its `Host`, and its connection.
 */
function isPlain(request: IncomingMessage): boolean {
  return (
    (request.url as string).startsWith('/') &&
    request.headers['transfer-encoding'] === undefined &&
    countHosts(request) === 1 &&
    !isClosing(request.socket)
  )
}

const guards = new WeakMap<FastifyInstance, ServerGuard>()

/** Stores the guard of an app. */
export function setServerGuard(app: FastifyInstance, guard: ServerGuard): void {
  guards.set(app, guard)
}

/** Returns the guard of an app that `buildApp` has built. */
export function serverGuardOf(app: FastifyInstance): ServerGuard {
  return guards.get(app) as ServerGuard
}
