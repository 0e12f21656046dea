import type { FastifyError, FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'
import { countRefusal } from '../metrics/request-counter.ts'
import { shownError } from '../reply/shown-problem.ts'
import { setProblemHeaders } from './problem-body.ts'
import { errorHandler, problemOf } from './problem-handler.ts'

/**
 * Passes failures of the plugin's routes to the app's own error handler. If the app has none, failures of aggregates
 * and of their bodies are sent as problems.
 */
export function delegateErrors(app: FastifyInstance): void {
  const appHandler = app.errorHandler
  if (appHandler === errorHandler) return
  const isDefault = appHandler.name === 'defaultErrorHandler'
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (isDefault && isAggregateError(error)) return errorHandler(error, request, reply)
    if (error instanceof Error) countRefusal(reply, problemOf(error).code)
    // The headers are set here, since the app's handler may not know them.
    if (error instanceof Problem) setProblemHeaders(reply, error)
    // An error that is thrown here goes to the outer handler, which is the handler of the app. Fastify would send any
    // other thrown value as a reply.
    if (error instanceof Error) throw shownError(request, error)
    return appHandler.call(app, error, request, reply)
  })
}

/**
 * Returns whether the error is from an aggregate or from the parsing of its body. An error of a hook of the app returns
 * false.
 */
function isAggregateError(error: FastifyError | null | undefined): boolean {
  return error instanceof Problem || (typeof error?.code === 'string' && error.code.startsWith('FST_ERR_CTP_'))
}
