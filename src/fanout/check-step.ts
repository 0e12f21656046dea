import { checkOverflow, wholeNumber, type Overflow } from '../core/bounds.ts'
import { withDeclared } from '../core/declared-options.ts'
import { deepFreeze } from '../core/freeze.ts'
import { rejectUnknownOptions } from '../core/option-keys.ts'
import { checkTextList } from '../core/option-values.ts'
import { checkFallback, refuseFallback } from './check-fallback.ts'
import { checkPages, type AnyPagesOptions } from './page-options.ts'
import { rejectOldOptional, renamedOptions } from './renamed.ts'
import type { Step, StepKind } from './step.ts'

const stepName = /^[A-Za-z][A-Za-z0-9_]*$/
const reserved = new Set(['params', 'query', 'body', 'headers', 'context', 'signal', 'ask'])
const stepOptions = { needs: true, timeout: true } as const
const optionsOf: Readonly<Record<StepKind, Readonly<Record<string, true>>>> = {
  required: stepOptions,
  optional: { ...stepOptions, fallback: true },
  each: { ...stepOptions, concurrency: true, maxItems: true, overflow: true, minSuccess: true, fallback: true },
  firstOf: { ...stepOptions, count: true },
  pages: { ...stepOptions, concurrency: true, overflow: true, next: true, maxPages: true, onLoss: true },
}

interface AnyStepOptions extends AnyPagesOptions {
  readonly needs?: readonly string[]
  readonly timeout?: number
  readonly concurrency?: number
  readonly maxItems?: number
  readonly overflow?: Overflow
  readonly minSuccess?: number
  readonly fallback?: unknown
  readonly count?: number
}

/**
 * Checks one step against the earlier steps and adds its defaults.
 *
 * @param hasContext True if the aggregate has a context(), which is a source of its replies.
 */
export function addStep(
  aggregate: string,
  hasContext: boolean,
  before: readonly Step[],
  kind: StepKind,
  name: string,
  handler: Step['handler'],
  options: AnyStepOptions,
): Step {
  const owner = `aggregate '${aggregate}', step '${name}'`
  if (typeof name !== 'string' || !stepName.test(name))
    throw new TypeError(
      `${owner}: a step name must begin with a letter and contain only letters, digits and underscores`,
    )
  if (reserved.has(name)) throw new TypeError(`${owner}: '${name}' is part of the input: choose another step name`)
  const same = before.find(step => step.name.toLowerCase() === name.toLowerCase())
  if (same?.name === name)
    throw new TypeError(`${owner}: a step with this name is already declared: choose another name`)
  if (same !== undefined)
    throw new TypeError(
      `${owner}: its name differs from that of step '${same.name}' by case only, and ` +
        'headwaters-sources has names in lower case: rename one',
    )
  if (hasContext && name.toLowerCase() === 'context')
    throw new TypeError(
      `${owner}: its name differs from that of the source 'context' by case only, and ` +
        'headwaters-sources has names in lower case: rename the step',
    )
  if (kind === 'optional') rejectOldOptional(owner, name, handler, options)
  if (typeof handler !== 'function') throw new TypeError(`${owner}: needs a function that returns a call`)

  refuseFallback(owner, kind, options)
  rejectUnknownOptions(owner, options, optionsOf[kind], { renamed: renamedOptions[kind] ?? {} })
  const {
    needs = [],
    timeout,
    concurrency,
    maxItems = 100,
    overflow = 'error',
    minSuccess,
    fallback,
    count = 1,
  } = options
  checkTextList(owner, 'needs', needs, "['breed']")
  if (timeout !== undefined) wholeNumber(owner, 'timeout', timeout, { unit: 'ms' })
  if (concurrency !== undefined) wholeNumber(owner, 'concurrency', concurrency)
  wholeNumber(owner, 'maxItems', maxItems)
  checkOverflow(owner, overflow)
  wholeNumber(owner, 'count', count)
  checkFallback(owner, kind, options)
  if (minSuccess !== undefined) wholeNumber(owner, 'minSuccess', minSuccess, { min: 0 })

  const step = Object.freeze({
    name,
    index: before.length,
    kind,
    handler,
    timeout,
    concurrency: concurrency ?? Infinity,
    maxItems,
    overflow,
    count,
    minSuccess,
    needs: Object.freeze([...new Set(needs)].map(need => indexOf(before, need, owner))),
    fallback: deepFreeze(fallback),
    isFrozen: kind === 'optional' || minSuccess !== undefined,
    next: undefined,
    ...(kind === 'pages' && checkPages(owner, options)),
  })
  return withDeclared(step, options)
}

function indexOf(before: readonly Step[], need: string, owner: string): number {
  const step = before.find(({ name }) => name === need)
  if (step === undefined) throw new TypeError(`${owner}: needs '${need}', and no earlier step has that name`)
  return step.index
}
