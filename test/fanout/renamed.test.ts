import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'

type Method = (...given: unknown[]) => Old
/** A declaration by the old names, which the types refuse. */
interface Old {
  readonly [method: string]: Method
}
const old = () => aggregate('a', { url: '/a' }) as unknown as Record<string, Method>
const call = (on: object, method: string, ...given: unknown[]) => (on as Record<string, Method>)[method]?.(...given)
const step = () => 1

test('before() and after() are refused with their new names', t => {
  const replied = call(old(), 'reply', z.unknown(), step) as object
  for (const [on, method, replacement] of [
    [old(), 'before', 'context'],
    [call(old(), 'required', 'one', step) as object, 'before', 'context'],
    [old(), 'after', 'onReply'],
    [replied, 'after', 'onReply'],
    [call(replied, 'onReply', () => {}) as object, 'after', 'onReply'],
  ] as const)
    t.throws(() => call(on, method, () => {}), {
      name: 'TypeError',
      message: `aggregate 'a': ${method}() was renamed to ${replacement}()`,
    })
  t.end()
})

test('an optional step with its fallback before its function is refused with the new shape', t => {
  for (const given of [
    [null, step],
    [null, step, { needs: [] }],
    [() => 'fallback', step],
    [{ facts: [] }, step, { timeout: 5 }],
    [null],
    ['fallback', { timeout: 5 }],
  ])
    t.throws(() => call(old(), 'optional', 'one', ...given), {
      name: 'TypeError',
      message:
        "aggregate 'a', step 'one': optional(name, fallback, fn, options) was renamed to " +
        "optional(name, fn, { fallback, …options }): write optional('one', fn, { fallback })",
    })
  t.end()
})

test('the old options of an each are refused with their new names', t => {
  for (const [options, message] of [
    [{ width: 2 }, "'width' was renamed to 'concurrency'"],
    [{ concurrency: 2, width: 2 }, "'width' was renamed to 'concurrency'"],
    [{ tolerate: { atLeast: 1, fallback: null } }, "'tolerate' was renamed to 'minSuccess' and 'fallback'"],
  ] as const)
    t.throws(() => call(old(), 'each', 'one', () => [], options), {
      name: 'TypeError',
      message: `aggregate 'a', step 'one': the option ${message}`,
    })
  t.end()
})

test('an option that is renamed for one kind of step is unknown for the others', t => {
  t.throws(() => call(old(), 'firstOf', 'one', () => [], { width: 2 }), { message: /unknown option 'width'/ })
  t.throws(() => call(old(), 'each', 'one', () => [], null), { message: /its options must be an object/ })
  t.end()
})
