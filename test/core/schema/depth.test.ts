import { test } from 'tap'
import { z } from 'zod'
import { isOpen, isTooDeep, maxDepth } from '../../../src/core/schema/depth.ts'

const within = (open: string, inside: string, close: string, times: number): unknown =>
  JSON.parse(open.repeat(times) + inside + close.repeat(times))

test('a value may stand as deep as is allowed, and no deeper', async t => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    for (const inside of ['1', 'null', '[]', '{}']) {
      t.notOk(isTooDeep(within(open, inside, close, maxDepth)), `${open} ${inside}`)
      t.ok(isTooDeep(within(open, inside, close, maxDepth + 1)), `${open} ${inside}, one deeper`)
    }
  }
  for (const plain of [1, null, 'a', [], {}, [1, { a: [null] }]]) t.notOk(isTooDeep(plain))
})

test('a schema is open where it lets values of any depth through', async t => {
  const Self: z.ZodType = z.object({
    get self() {
      return Self.optional()
    },
  })
  for (const schema of [
    z.unknown(),
    z.object({ a: z.array(z.any()) }),
    z.looseObject({}),
    z.record(z.string(), z.union([z.string(), z.unknown()])),
    z.json(),
    Self,
    z.custom(),
  ])
    t.equal(isOpen(schema), true, schema.type)
  const asked = () => {
    throw new Error('a default is asked for when a value is missing, and not before')
  }
  for (const schema of [
    z.string(),
    z.object({ a: z.array(z.number()) }),
    z.map(z.string(), z.tuple([z.null()])),
    z.object({ a: z.string().default(asked) }).readonly(),
    z.strictObject({}),
  ])
    t.equal(isOpen(schema), false, schema.type)
})
