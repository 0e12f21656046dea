import type { Chain } from './chain.ts'
import type { Asked, HeldCall, Skip, TypeErrorMessage } from './inference.ts'

/** Refuses a fallback of a step whose kind has none. The compiler prints the sentence. */
export interface WithoutFallback<Sentence extends string> {
  /** Refused: a step of this kind has no fallback. */
  readonly fallback?: TypeErrorMessage<Sentence>
}

/** Refuses a fallback of the type `F` that a step cannot have as its value. It adds nothing for any other type. */
export type FallbackCheck<F> =
  true extends HasFault<F> ? { readonly fallback: TypeErrorMessage<`the fallback ${FallbackFault<F>}`> } : unknown

/** In this order the compiler accepts a fallback with a type parameter in it, such as `T[]`: `any` has no fault. */
type HasFault<F> = [FallbackFault<F>] extends [never] ? false : true

/** The reason for which a fallback is refused. For a union it has the reason of each member. */
type FallbackFault<F> = 0 extends 1 & F
  ? never
  : F extends Asked | Chain<unknown>
    ? `is a call, ${Unsent}`
    : F extends (...given: never) => unknown
      ? 'is a function, which is never called: write a value, such as null'
      : F extends PromiseLike<unknown>
        ? 'is a promise, which is never awaited: write a value, such as null'
        : F extends Skip
          ? 'is skip: write a value, such as null'
          : F extends readonly (infer Item)[]
            ? ListFault<Item>
            : [HeldCall<F>] extends [never]
              ? never
              : `has a call at '${HeldCall<F>}', ${Unsent}`

type ListFault<Item> = 0 extends 1 & Item
  ? never
  : [Extract<Item, Asked | Chain<unknown>>] extends [never]
    ? never
    : `has a call in its list, ${Unsent}`

type Unsent = 'which is never sent: ask it in the function of the step'
