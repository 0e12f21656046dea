import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { operation } from '../../../src/upstream/declare.ts'
import { readToFirstError } from '../../../src/core/schema/first-error.ts'
import { failure } from '../../helpers/failure.ts'
import { json, written } from '../../helpers/raw-upstream.ts'
import { wire } from '../../helpers/wire.ts'

const Cat = z.object({ name: z.string(), lives: z.number().max(9), tags: z.array(z.string()).optional() })
const schemas: readonly z.ZodType[] = [
  z.array(Cat),
  z.object({ data: z.array(Cat), next: z.string().nullable() }),
  z.record(z.string(), Cat),
  z.array(z.union([Cat, z.string()])),
  z.array(Cat).min(2),
  z.strictObject({ cats: z.array(Cat) }),
  z.array(z.array(z.int())),
  z.looseObject({ name: z.string() }),
  z.tuple([z.string(), Cat]),
  z.array(z.object({ at: z.string().transform(Number).pipe(z.number()) })),
  z.record(z.enum(['a', 'b']), z.number()),
  z.object({ data: z.array(Cat).nullish(), a: z.array(z.string()).max(2).default([]) }).readonly(),
  z.object({ a: z.string() }).catchall(Cat),
  z.array(z.record(z.string(), z.array(z.string()))),
  z.union([z.record(z.string(), z.string()), z.record(z.string(), Cat)]),
  z.union([z.strictObject({ name: z.string() }), Cat, z.array(Cat).min(2)]),
  z.array(z.union([z.object({ data: z.array(Cat) }), z.union([z.array(z.string()), z.looseObject({ a: Cat })])])),
  z.union([Cat]),
  z.discriminatedUnion('name', [Cat.extend({ name: z.literal('a') }), Cat.extend({ name: z.literal('b') })]),
  z.union([z.record(z.string(), Cat), z.null()]).optional(),
]
const part = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    fc.constantFrom('a', 1, 10, null, true),
    fc.record(
      { name: fc.constantFrom('a', 1), lives: fc.constantFrom(9, 10, 'x'), tags: tie('value') },
      { requiredKeys: [] },
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('data', 'next', 'cats', 'a', 'b', 'at'), tie('value')),
  ),
})).value

test('the first error is one of the errors of zod with the same place, and a value that zod accepts has no error', t => {
  const issuesOf = (error: z.ZodError | undefined) =>
    (error?.issues ?? []).map(({ path, code }) => JSON.stringify([path, code]))
  fc.assert(
    fc.property(part, value => {
      for (const schema of schemas) {
        const all = issuesOf(schema.safeParse(value).error)
        const first = issuesOf(readToFirstError(schema, value).error)
        if (first.length > 0 !== all.length > 0 || first.some(issue => !all.includes(issue)))
          throw new Error(`${JSON.stringify(value)}: ${first.join()} is not of ${all.join()}`)
      }
    }),
    { numRuns: 1000 },
  )
  t.end()
})

test('a long answer of nothing but wrong values takes little time, and says which is the first', async t => {
  const answers: readonly (readonly [
    what: string,
    output: z.ZodType,
    value: unknown,
    path: readonly (string | number)[],
  ])[] = [
    ['numbers for objects', z.array(Cat), Array.from({ length: 100_000 }, () => 0), [0]],
    [
      'objects without fields',
      z.object({ data: z.array(Cat) }),
      { data: Array.from({ length: 90_000 }, () => ({})) },
      ['data', 0, 'name'],
    ],
    ['a list of 70 KB', z.array(Cat), Array.from({ length: 35_000 }, () => 0), [0]],
    [
      'a record of numbers',
      z.record(z.string(), z.string()),
      Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key${index}`, index])),
      ['key0'],
    ],
  ]
  for (const [what, output, value, path] of answers) {
    const { send } = await wire(t, json(value), operation({ path: '/', output }))
    const before = process.cpuUsage()
    const { code, cause } = (await failure(send())) as Error & { readonly code: string; readonly cause: z.ZodError }
    const { user, system } = process.cpuUsage(before)
    t.equal(code, 'UPSTREAM_SCHEMA')
    t.same(cause.issues[0]?.path, path)
    t.ok(cause.issues.length < 10)
    t.comment(`${what}: ${((user + system) / 1000).toFixed(0)} ms`)
  }
})

test('a large answer is read in steps, with its headers, and a number in it as it stands in the text', async t => {
  const large = 'x'.repeat(200_000)
  const answers: readonly (readonly [output: z.ZodType, text: string, ended: unknown])[] = [
    [
      z.object({ big: z.bigint(), more: z.string() }),
      `{"big":1152921504606846977,"more":"${large}"}`,
      { body: { big: 1152921504606846977n, more: large }, headers: { 'x-page': '2' } },
    ],
    [z.object({ more: z.string() }), `{"more":"${large}"}`, { body: { more: large }, headers: { 'x-page': '2' } }],
    [z.unknown(), `{"__proto__":{},"more":"${large}"}`, 'UPSTREAM_JSON'],
    [z.unknown(), `${'['.repeat(65)}"${large}"${']'.repeat(65)}`, 'UPSTREAM_SCHEMA'],
    [z.array(z.number()).max(1), `[0,0,"${large}"]`, 'UPSTREAM_SCHEMA'],
  ]
  for (const [output, text, ended] of answers) {
    const { send } = await wire(
      t,
      socket => {
        socket.write(written(200, { 'content-type': 'application/json', 'x-page': '2' }, text))
      },
      operation({ path: '/', output, responseHeaders: z.object({ 'x-page': z.string() }) }),
    )
    t.strictSame(
      await send().then(
        ({ value }) => value,
        (error: { readonly code: string }) => error.code,
      ),
      ended,
    )
  }
  const { send } = await wire(
    t,
    socket => {
      socket.write(written(200, { 'content-type': 'text/plain' }, large))
    },
    operation({ path: '/', responseType: 'text', output: z.string() }),
  )
  t.equal((await send()).value, large, 'a text has one step')
})
