import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refuseMethod, type RequestHook } from './allowed-methods.ts'
import {
  comparedSegments,
  DecodedPath,
  matchSegments,
  pathSegments,
  routerOptionsOf,
  type RouterOptions,
} from './match-path.ts'
import { parameterNames, segmentsOf, type Segment } from './path-template.ts'
import { compareSpecificity, mayOverlap } from './specificity.ts'

/** The path of one template and what it serves. */
export interface ServedPath<Target> {
  /**
   * The template, `/jobs/{id}:cancel`. Templates that differ only in the names of their parameters have the same path.
   */
  readonly template: string
  /** The targets and the names of their parameters, by method. */
  readonly targets: Map<string, { readonly names: readonly string[]; readonly target: Target }>
  /** The value of `allow`, known once all routes of the path are added. */
  allow: string
}

interface Candidate<Target> {
  readonly path: ServedPath<Target>
  readonly segments: readonly Segment[]
}

/**
 * Decides which of an app's templates a request matches, after the router found a route whose template has text next to
 * a parameter. The router alone cannot decide: it splits decoded text, so it reads `%2C` as a literal comma.
 */
export class Dispatcher<Target> {
  readonly #candidates: readonly Candidate<Target>[]
  readonly #options: RouterOptions
  readonly #found = new WeakMap<FastifyRequest, Target>()

  constructor(app: FastifyInstance, paths: readonly ServedPath<Target>[]) {
    this.#options = routerOptionsOf(app)
    this.#candidates = paths
      .map(path => ({ path, segments: comparedSegments(segmentsOf(path.template), this.#options) }))
      .sort((one, other) => compareSpecificity(one.segments, other.segments))
  }

  /**
   * Returns the `onRequest` hook of the routes of a template. It replaces the parameters of the request, and replies to
   * a request that matches no template or whose method its template does not serve.
   */
  hook(template: string): RequestHook {
    const own = comparedSegments(segmentsOf(template), this.#options)
    const candidates = this.#candidates.filter(({ segments }) => mayOverlap(own, segments))
    const ownNames = new Set([...parameterNames(template), '0'])
    return (request, reply, done) => {
      const path = new DecodedPath(pathSegments(request.raw.url as string, this.#options), this.#options.caseSensitive)
      for (const candidate of candidates) {
        const values = matchSegments(candidate.segments, path)
        if (values === undefined) continue
        const { targets, allow } = candidate.path
        const found = targets.get(request.method === 'HEAD' ? 'GET' : request.method)
        if (found === undefined) return refuseMethod(request, reply, allow, done)
        request.params = paramsOf(request.params as Params, ownNames, found.names, values)
        this.#found.set(request, found.target)
        return done()
      }
      reply.callNotFound()
    }
  }

  /** Returns the target that the hook found for a request. */
  targetOf(request: FastifyRequest): Target {
    return this.#found.get(request) as Target
  }
}

type Params = Readonly<Record<string, string>>

/** Returns the parameters of the app's prefix and of a template. */
function paramsOf(
  all: Params,
  replaced: ReadonlySet<string>,
  names: readonly string[],
  values: readonly string[],
): Params {
  const params = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(all)) if (!replaced.has(name)) params[name] = value
  for (let index = 0; index < names.length; index++) params[names[index] as string] = values[index] as string
  return params
}
