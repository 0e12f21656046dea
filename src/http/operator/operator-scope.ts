import type { FastifyInstance } from 'fastify'
import { identifyClients, keyFinder, requireKey } from '../guard/api-keys.ts'
import { withoutCors } from '../guard/cors.ts'
import { refuseOtherHosts } from '../guard/dns-rebinding.ts'
import { pathShape } from '../routing/path-template.ts'

/** The access of requests to the routes of the operator. */
export interface OperatorAccess {
  /**
   * The key that a request needs as `authorization: Bearer <key>`. Without it, the host of a request must be an IP
   * address or `localhost`.
   * @default none
   */
  readonly key?: string | undefined
}

const otherHostDetail =
  'The service serves this path without a key only if the host is an IP address or localhost: use an IP address or ' +
  'localhost in the URL, or require a key (option metrics; ADMIN_KEY and HEADWATERS_ENV of headwaters serve).'

/**
 * Adds routes of the operator. A request reaches them with the key, or without a key by a local host name. Pages of
 * other origins cannot read their replies, also if `addCors` allows such pages, and no cache stores them. The routes
 * do not count in the rate limit and are answered under overload, since the operator needs them then.
 *
 * @param routes - Adds the routes to the app that it gets.
 */
export function operatorScope(
  app: FastifyInstance,
  { key }: OperatorAccess,
  routes: (scope: FastifyInstance) => void,
): void {
  void app.register(async scope => {
    withoutCors(scope)
    scope.addHook('onRequest', (_request, reply, done) => {
      reply.header('cache-control', 'no-store')
      reply.header('cross-origin-resource-policy', 'same-origin')
      done()
    })
    if (key === undefined) refuseOtherHosts(scope, otherHostDetail)
    else {
      const keysOfRequests = new WeakMap()
      identifyClients(scope, keyFinder([key]), keysOfRequests)
      requireKey(scope, keysOfRequests)
    }
    routes(scope)
  })
}

interface Routed {
  readonly name: string
  readonly route: { readonly url: string }
}

/** A path of the operator that no aggregate of the same app may have. */
export interface OperatorPath {
  /** The path, such as `/metrics`. */
  readonly path: string
  /** True if every path below it is the operator's too. @default false */
  readonly hasPathsBelow?: boolean
  /** The content that the app serves there, such as `its metrics`. */
  readonly serves: string
  /** The change that frees the path, such as `do not serve the metrics here`. */
  readonly fix: string
}

/**
 * Refuses an aggregate whose path is a path of the operator.
 *
 * @param aggregates - The aggregates of the app. The plugin refuses a list that is wrong.
 * @throws `TypeError` that names the aggregate.
 */
export function rejectOperatorUrl(
  aggregates: readonly (Partial<Routed> | undefined)[],
  { path, hasPathsBelow = false, serves, fix }: OperatorPath,
): void {
  if (!Array.isArray(aggregates)) return
  const own = pathShape(path)
  for (const aggregate of aggregates as readonly (Partial<Routed> | undefined)[]) {
    const { name, route } = aggregate ?? {}
    if (route === undefined) continue
    const { url } = route
    if (pathShape(hasPathsBelow ? firstSegments(url, path) : url) === own)
      throw new TypeError(
        `app: the url of the aggregate '${name}' is ${url}, where the app serves ${serves}: change the url, or ${fix}`,
      )
  }
}

/** Returns as many segments of a URL as a path has. */
function firstSegments(url: string, path: string): string {
  return url.split('/', path.split('/').length).join('/')
}
