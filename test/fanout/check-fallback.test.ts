import { test } from 'tap'
import { z } from 'zod'
import { aggregate, chain, skip } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'

const shop = defineUpstream(
  'shop',
  { origin: 'http://shop.test' },
  { item: operation({ path: '/item', output: z.string() }) },
)

type Kind = 'required' | 'optional' | 'each' | 'firstOf' | 'pages'

/** Declares a step without types, as JavaScript does. */
function declare(kind: Kind, options?: unknown): unknown {
  const builder = aggregate('a', { url: '/a' }) as unknown as Record<
    Kind,
    (name: string, fn: () => unknown, options?: unknown) => unknown
  >
  return builder[kind]('one', () => 1, options)
}

/** Returns the error of a step without the name of the step, which is the same in all tests. */
function faultOf(kind: Kind, options?: unknown): string {
  try {
    declare(kind, options)
  } catch (error) {
    if (error instanceof TypeError) return error.message.replace("aggregate 'a', step 'one': ", '')
    throw error
  }
  return 'none'
}

test('a step of a kind without fallback refuses one, and the error says what to do', t => {
  const next = () => null
  for (const fallback of [null, undefined, 0, {}, () => 1]) {
    t.equal(faultOf('required', { fallback }), 'a required step cannot have a fallback: make it optional')
    t.equal(
      faultOf('firstOf', { count: 1, fallback }),
      'a firstOf cannot have a fallback: ask the calls in an optional step',
    )
    t.equal(faultOf('pages', { next, fallback }), "pages cannot have a fallback: use { onLoss: 'keep' }")
  }
  for (const options of [null, 5, 'fallback'])
    t.match(faultOf('required', options), /^its options must be an object/, `${options}`)
  t.match(faultOf('required', { fallBack: null }), /^unknown option 'fallBack': use needs, timeout$/)
  t.end()
})

test('an optional step needs a fallback value, which may be undefined', t => {
  for (const options of [undefined, {}, { timeout: 5 }])
    t.equal(faultOf('optional', options), 'an optional step needs a fallback value: add { fallback: null }')
  t.match(faultOf('optional', { fallBack: null }), /^unknown option 'fallBack': use needs, timeout, fallback$/)
  for (const fallback of [undefined, null, 0, '', [], {}, [null], { deep: [{ list: [] }] }, new Date(0), new Map()])
    t.equal(faultOf('optional', { fallback }), 'none')
  t.end()
})

test('minSuccess and fallback of an each need each other', t => {
  for (const options of [{ minSuccess: 1 }, { minSuccess: 0 }])
    t.equal(faultOf('each', options), 'minSuccess needs a fallback value: add { fallback: null }')
  for (const options of [{ fallback: null }, { fallback: undefined }, { fallback: 0, minSuccess: undefined }])
    t.equal(faultOf('each', options), 'fallback of an each needs minSuccess: add { minSuccess: 0 }')
  for (const options of [{}, { minSuccess: 0, fallback: undefined }, { minSuccess: 2, fallback: 'none' }])
    t.equal(faultOf('each', options), 'none')
  t.end()
})

test('a fallback that the step cannot use as a value is refused', t => {
  for (const [fallback, fault] of [
    [shop.item(), 'is a call, which is never sent: ask it in the function of the step'],
    [chain(shop.item(), () => 1), 'is a call, which is never sent: ask it in the function of the step'],
    [[null, shop.item()], 'has the call shop.item at /1, which is never sent: ask it in the function of the step'],
    [
      { deep: { order: shop.item() } },
      'has the call shop.item at /deep/order, which is never sent: ask it in the function of the step',
    ],
    [
      [chain(shop.item(), () => 1)],
      'has the call shop.item at /0, which is never sent: ask it in the function of the step',
    ],
    [() => null, 'is a function, which is never called: write a value, such as null'],
    [shop.item, 'is a function, which is never called: write a value, such as null'],
    [class {}, 'is a function, which is never called: write a value, such as null'],
    [Promise.resolve(null), 'is a promise, which is never awaited: write a value, such as null'],
    [skip, 'is skip: write a value, such as null'],
  ] as const) {
    t.equal(faultOf('optional', { fallback }), `the fallback ${fault}`)
    t.equal(faultOf('each', { minSuccess: 0, fallback }), `the fallback ${fault}`)
  }
  t.end()
})
