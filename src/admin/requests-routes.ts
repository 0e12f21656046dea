import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'
import { logOutcome, probed } from '../http/log/request-outcome.ts'
import { operatorScope, type OperatorAccess } from '../http/operator/operator-scope.ts'
import { allowMethods } from '../http/routing/allowed-methods.ts'
import type { RunSource } from '../kept/run-source.ts'
import { readRunFilter } from './run-filter.ts'

/** The path of the list of kept runs. A kept run is below it. */
export const requestsUrl = '/requests'

const notKept =
  'No run with this id is kept, or it is not kept any more: look for it with /requests?request= and the request id.'

/** Returns a function that adds the routes of kept runs to the app of the operator. */
export function requestsRoutes(source: RunSource, access: OperatorAccess): (app: FastifyInstance) => void {
  return app =>
    operatorScope(app, access, scope => {
      scope.get(requestsUrl, async request => {
        logOutcome(request, probed)
        return source.list(readRunFilter(request.query as Readonly<Record<string, unknown>>))
      })
      allowMethods(scope, requestsUrl, ['GET'])
      const runUrl = `${requestsUrl}/:id`
      scope.get(runUrl, async request => {
        logOutcome(request, probed)
        const { id } = request.params as { readonly id: string }
        const run = await source.find(id)
        if (run === undefined) throw new Problem('NOT_FOUND', { detail: notKept })
        return run
      })
      allowMethods(scope, runUrl, ['GET'])
    })
}
