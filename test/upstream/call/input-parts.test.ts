import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createCallOf, specOfOperation } from '../../../src/upstream/declared-specs.ts'
import { inputFieldsOf, inputPartsOf } from '../../../src/upstream/call/input-parts.ts'
import type { OperationSpec } from '../../../src/upstream/spec/spec.ts'

const params = z.object({ id: z.string() })
const output = z.unknown()
const cats = defineUpstream(
  'cats',
  { origin: 'http://cats.test' },
  {
    all: operation({
      method: 'POST',
      path: '/{id}',
      params,
      query: z.strictObject({ limit: z.number().optional() }),
      body: z.object({ name: z.string() }),
      headers: z.object({ 'x-a': z.string() }),
      output,
    }),
    one: operation({ path: '/{id}', params, output }),
    loose: operation({ path: '/search', query: z.looseObject({ q: z.string() }), output }),
    either: operation({
      path: '/either',
      query: z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]),
      output,
    }),
    none: operation({ path: '/none', output }),
  },
)
const specOf = (name: keyof typeof cats) => specOfOperation(cats[name] as never) as OperationSpec

test('the parts of an input are those of its schemas, and parts that share the input get their own fields', async t => {
  const parts = inputPartsOf(specOf('all'))
  t.same(
    parts.map(({ field }) => field),
    [undefined, undefined, 'body', 'headers'],
  )
  const input = { id: 'a', limit: 3, body: { name: 'x' }, other: 1 }
  t.same(parts[0]?.pick(input), { id: 'a' })
  t.same(parts[1]?.pick(input), { limit: 3 })
  t.equal(inputPartsOf(specOf('one'))[0]?.pick(input), input, 'one schema alone reads the whole input')
  t.same(inputPartsOf(specOf('none')), [])
})

test('the fields of an input are known unless a schema reads fields that it does not name', async t => {
  t.same([...(inputFieldsOf(specOf('all')) ?? [])], ['id', 'limit', 'body', 'headers'])
  t.same([...(inputFieldsOf(specOf('none')) ?? ['none'])], [])
  t.equal(inputFieldsOf(specOf('loose')), undefined)
  t.equal(inputFieldsOf(specOf('either')), undefined)
})

test('the declaration of an operation is found, and its calls can be made from it', async t => {
  const spec = specOf('one')
  t.equal(spec.name, 'cats.one')
  t.equal(createCallOf(spec), cats.one)
  t.equal(createCallOf(spec)({ id: 'a b' }).path, '/a%20b')
  t.equal(specOfOperation(operation({ path: '/', output }) as never), undefined, 'it belongs to no upstream')
})

test('an operation for batches must have an input and an answer in JSON', async t => {
  const declare = (options: object) => () =>
    defineUpstream(
      'cats',
      { origin: 'http://cats.test' },
      { one: operation({ path: '/one', output, batch: true, ...options }) },
    )
  t.throws(
    declare({ method: 'POST', body: z.instanceof(Uint8Array), bodyType: 'bytes' }),
    /cats\.one: batch: true needs an input in JSON/,
  )
  t.throws(declare({ method: 'POST', body: z.object({}), bodyType: 'multipart' }), /bodyType 'multipart' has bytes/)
  t.throws(declare({ responseType: 'bytes' }), /cats\.one: batch: true needs an answer in JSON/)
  t.equal(specOfOperation((declare({ responseType: 'text' })() as unknown as { one: never }).one)?.batch, true)
})
