import type { z } from 'zod'
import type { AnyAggregate } from './aggregate-type.ts'
import { checkReply } from './check-reply.ts'
import { checkRoute } from './check-route.ts'
import { addStep } from './check-step.ts'
import { contextStep, type Hooks } from './hooks.ts'
import type { Input, ParamsFor, ParamsIf, Schema } from './inference.ts'
import type { InitialBuilder } from './initial-builder.ts'
import { renamedBuilderMethods } from './renamed.ts'
import { readStatuses, type AnyReplyOptions } from './reply-status.ts'
import type { Route, RouteOptions } from './route.ts'
import { readSnapshot } from './snapshot-option.ts'
import type { Step, StepKind } from './step.ts'

export type { Aggregate, AnyAggregate, Replied } from './aggregate-type.ts'
export type { Builder } from './builder.ts'
export { chain } from './create-chain.ts'
export type { Skip } from './inference.ts'
export { offload } from './offload/offload.ts'
export { refuse } from './refuse.ts'
export { skip } from './skip.ts'
export { times } from './times.ts'

/**
 * Declares an aggregate: a route whose reply is built from many calls. The declaration sends nothing. `fanOut`, the
 * plugin and `headwaters serve` run it.
 *
 * @param name The name, in lower case with hyphens.
 * @param options The route, the schemas of the input and the deadline.
 * @returns A builder, to which steps are added.
 * @throws `TypeError` for an option that the types cannot check, such as a deadline of 0. The message names the
 *   aggregate, the option and the fix.
 * @example
 * ```ts
 * import { aggregate, defineUpstream, operation } from 'headwaters'
 * import { z } from 'zod'
 *
 * const cats = defineUpstream('cats', { origin: 'https://cats.example' }, {
 *   fact: operation({ path: '/fact', output: z.object({ fact: z.string() }) }),
 * })
 *
 * const Query = z.object({ loud: z.stringbool().optional() })
 *
 * export const fact = aggregate('fact', { url: '/fact', query: Query, deadline: 500 })
 *   .required('fact', () => cats.fact())
 *   .reply(z.object({ text: z.string() }), ({ query, fact }) => ({
 *     text: query.loud ? fact.fact.toUpperCase() : fact.fact,
 *   }))
 * ```
 */
export function aggregate<
  const P extends string,
  Pa extends ParamsFor<NoInfer<P>> | undefined = undefined,
  Q extends Schema = undefined,
  B extends Schema = undefined,
  H extends Schema = undefined,
>(
  name: string,
  options: RouteOptions<P> & {
    readonly params?: Pa
    readonly query?: Q
    readonly body?: B
    readonly headers?: H
  } & ParamsIf<'url', NoInfer<P>, NoInfer<Pa>>,
): InitialBuilder<Input<Pa, Q, B, H>> {
  return builder(name, checkRoute(name, options), undefined, []) as InitialBuilder<Input<Pa, Q, B, H>>
}

function builder(name: string, route: Route, context: Step | undefined, steps: readonly Step[]): object {
  const extended = (step: Step) => builder(name, route, context, [...steps, step])
  const add =
    (kind: StepKind) =>
    (key: string, handler: Step['handler'], options = {}) =>
      extended(addStep(name, context !== undefined, steps, kind, key, handler, options))
  return {
    ...renamedBuilderMethods(name),
    context: (fn: Step['handler']) => {
      if (context === undefined && steps.length === 0) return builder(name, route, contextStep(name, fn), steps)
      throw new TypeError(`aggregate '${name}': context() may be called only once, and only before the first step`)
    },
    required: add('required'),
    optional: add('optional'),
    each: add('each'),
    firstOf: add('firstOf'),
    pages: add('pages'),
    reply: (schema: z.ZodType, merge: (args: never) => unknown, options: AnyReplyOptions = {}): AnyAggregate => {
      checkReply(`aggregate '${name}'`, schema, merge)
      return replied({
        name,
        route,
        steps: Object.freeze(steps),
        schema,
        statuses: readStatuses(`aggregate '${name}'`, schema, route.cacheControl, options),
        merge,
        snapshot: readSnapshot(`aggregate '${name}'`, options.snapshot),
        dependents: steps.map(({ index }) =>
          steps.filter(({ needs }) => needs.includes(index)).map(step => step.index),
        ),
        hooks: { context, onReply: undefined },
      })
    },
  }
}

function replied(aggregate: AnyAggregate): AnyAggregate {
  const { name, hooks } = aggregate
  const onReply = (fn: Hooks['onReply']) => {
    if (typeof fn !== 'function') throw new TypeError(`aggregate '${name}': onReply() needs a function`)
    if (hooks.onReply !== undefined) throw new TypeError(`aggregate '${name}': onReply() may be called only once`)
    return replied({ ...aggregate, hooks: Object.freeze({ ...hooks, onReply: fn }) })
  }
  return Object.freeze({ ...aggregate, after: renamedBuilderMethods(name).after, onReply })
}
