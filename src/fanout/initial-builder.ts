import type { Builder } from './builder.ts'
import type { AskArgs, Awaitable, ContextResult, Shown, StepValue } from './inference.ts'

/** A builder without steps. */
export interface InitialBuilder<I> extends Builder<I, {}> {
  /**
   * Adds a function that runs before any step starts. Its value is the `context` of the steps, the merge and onReply().
   *
   * @param fn Returns the context, or one call whose answer is the context. It may call `refuse`.
   * @returns A builder with this context.
   * @throws `TypeError` for a second call, and for a call after the first step.
   * @example
   * ```ts
   * import { aggregate } from 'headwaters'
   * import { z } from 'zod'
   *
   * export const hello = aggregate('hello', { url: '/hello' })
   *   .context(() => ({ startedAt: Date.now() }))
   *   .reply(z.object({ startedAt: z.number() }), ({ context }) => ({ startedAt: context.startedAt }))
   * ```
   */
  context<R>(
    fn: (args: Shown<I & AskArgs>) => Awaitable<R>,
  ): ContextResult<R, Builder<I, {}>, Builder<Shown<I & { readonly context: StepValue<R> }>, {}>>
}
