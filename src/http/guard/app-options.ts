import type { Server } from 'node:http'
import type { FastifyHttpOptions, FastifyReply, FastifyRequest } from 'fastify'
import { RequestLog } from '../log/request-log.ts'
import type { RefusalSampler } from '../log/refusal-sampler.ts'
import { errorHandler } from '../problems/problem-handler.ts'
import { defaultHeaders } from '../reply/default-headers.ts'
import { requestIdOf } from '../request/request-id.ts'
import { serverOptions, type Limits } from './server-limits.ts'

/**
 * Returns the options of Fastify that the app of the service and the admin app share.
 *
 * @param limits The limits of one request and its connection.
 * @param refusals Selects the refusals that are logged.
 * @param onFrameworkError Called before the reply to an error of Fastify, which occurs before any hook runs.
 */
export function appOptions(
  limits: Limits,
  refusals: RefusalSampler,
  onFrameworkError?: (request: FastifyRequest, reply: FastifyReply) => void,
) {
  const { keepAliveTimeout, requestTimeout, ...http } = serverOptions(limits)
  return {
    logController: new RequestLog(refusals),
    requestTimeout,
    keepAliveTimeout,
    // The health routes answer until the server closes. `drainOnClose` refuses the other requests with a problem.
    return503OnClosing: false,
    http,
    genReqId: requestIdOf,
    frameworkErrors: (error, request, reply) => {
      onFrameworkError?.(request, reply)
      errorHandler(error, request, reply.headers(defaultHeaders))
    },
    // `handleServerEvents` replies to these.
    clientErrorHandler: () => {},
  } satisfies FastifyHttpOptions<Server>
}
