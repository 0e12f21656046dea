import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { operation } from '../../src/upstream/declare.ts'
import { firstError } from '../../src/upstream/first-error.ts'
import { failure } from '../helpers/failure.ts'
import { json } from '../helpers/raw-upstream.ts'
import { wire } from '../helpers/wire.ts'

const Cat = z.object({ name: z.string(), lives: z.number().max(9), tags: z.array(z.string()).optional() })
const schemas: readonly z.ZodType[] = [
  z.array(Cat), z.object({ data: z.array(Cat), next: z.string().nullable() }), z.record(z.string(), Cat), z.array(z.union([Cat, z.string()])), z.array(Cat).min(2), z.strictObject({ cats: z.array(Cat) }),
  z.array(z.array(z.int())), z.looseObject({ name: z.string() }), z.tuple([z.string(), Cat]), z.array(z.object({ at: z.string().transform(Number).pipe(z.number()) })), z.record(z.enum(['a', 'b']), z.number()),
]
const part = fc.letrec(tie => ({
  value: fc.oneof({ maxDepth: 4, depthSize: 'medium' }, fc.constantFrom('a', 1, 10, null, true), fc.record({ name: fc.constantFrom('a', 1), lives: fc.constantFrom(9, 10, 'x'), tags: tie('value') }, { requiredKeys: [] }), fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(fc.constantFrom('data', 'next', 'cats', 'a', 'b', 'at'), tie('value'))),
})).value

test('the first error is one of those that zod has, in its place, and there is none where zod has none', async t => {
  const issuesOf = (error: z.ZodError | undefined) => (error?.issues ?? []).map(({ path, code }) => JSON.stringify([path, code]))
  fc.assert(fc.property(part, value => {
    for (const schema of schemas) {
      const all = issuesOf(schema.safeParse(value).error)
      const first = issuesOf(firstError(schema, value))
      t.equal(first.length > 0 || all.length === 0 || isListOfTaken(schema, value), true, JSON.stringify(value))
      for (const issue of first) t.ok(all.includes(issue), issue)
    }
  }), { numRuns: 300 })

  /** A plain list that is refused has a part that is. */
  function isListOfTaken (schema: z.ZodType, value: unknown): boolean {
    return Array.isArray(value) && schema instanceof z.ZodArray && value.every(item => (schema.element as z.ZodType).safeParse(item).success)
  }
})

test('a long answer of nothing but wrong values takes little time, and says which is the first', async t => {
  const answers: readonly (readonly [what: string, output: z.ZodType, value: unknown, path: readonly (string | number)[]])[] = [
    ['numbers for objects', z.array(Cat), Array.from({ length: 100_000 }, () => 0), [0]],
    ['objects without fields', z.object({ data: z.array(Cat) }), { data: Array.from({ length: 90_000 }, () => ({})) }, ['data', 0, 'name']],
    ['a record of numbers', z.record(z.string(), z.string()), Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key${index}`, index])), ['key0']],
  ]
  for (const [what, output, value, path] of answers) {
    const { send } = await wire(t, json(value), operation({ path: '/', output }))
    const before = process.cpuUsage()
    const { code, cause } = await failure(send()) as Error & { readonly code: string, readonly cause: z.ZodError }
    const { user, system } = process.cpuUsage(before)
    t.equal(code, 'UPSTREAM_SCHEMA')
    t.same(cause.issues[0]?.path, path)
    t.ok(cause.issues.length < 10)
    t.comment(`${what}: ${((user + system) / 1000).toFixed(0)} ms`)
  }
})
