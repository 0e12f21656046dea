import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { hasAsync } from '../../../src/core/schema/wrapped.ts'

const never = async () => {
  throw new Error('theirs')
}

test('an async function is found anywhere in a schema, and a function that is not async is not found', async t => {
  const text = z.string()
  const withAsync: readonly z.ZodType[] = [
    text.transform(never),
    text.refine(never),
    z.custom(never),
    text.check(never),
    z.preprocess(never, text),
    z.codec(text, text, { decode: never, encode: value => value }),
    z.object({ a: z.array(text.transform(never).optional()) }),
    z.union([text, text.refine(never)]),
    z.record(text, text.refine(never)),
  ]
  for (const [index, schema] of withAsync.entries()) t.ok(hasAsync(schema), String(index))
  interface Tree {
    readonly below: readonly Tree[]
  }
  const tree: z.ZodType<Tree> = z.object({
    get below() {
      return z.array(tree)
    },
  })
  for (const schema of [
    text,
    text
      .min(1)
      .refine(() => true)
      .transform(() => 1),
    z.coerce.date(),
    tree,
    z.json(),
  ])
    t.notOk(hasAsync(schema))
})

test('an async function in a schema is refused where it is declared, with the part and the fix', async t => {
  const bad = z.string().transform(never)
  const parts = { query: z.object({ a: bad }), output: z.string() }
  t.throws(
    () => defineUpstream('cats', { origin: 'http://127.0.0.1:9' }, { cat: operation({ path: '/cat', ...parts }) }),
    {
      message:
        'cats.cat: its query schema has an async function, and schemas are parsed synchronously: await in a step',
    },
  )
  t.throws(
    () => defineUpstream('cats', { origin: 'http://127.0.0.1:9' }, { cat: operation({ path: '/cat', output: bad }) }),
    /cats\.cat: its output schema/,
  )
  t.throws(() => aggregate('cats', { url: '/cats', query: parts.query }), /aggregate 'cats': its query schema/)
  t.throws(() => aggregate('cats', { url: '/cats' }).reply(bad, () => ''), /aggregate 'cats': its reply schema/)
})
