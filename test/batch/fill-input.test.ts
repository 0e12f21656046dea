import { test } from 'tap'
import { fillInput } from '../../src/batch/fill-input.ts'
import { cyclesOf } from '../../src/batch/needs.ts'

test('values replace references, and all else is that of the input', async t => {
  const reference = { $ref: 'a#/data' }
  const input = { list: [1, reference, { deep: reference }], other: { left: true }, none: null }
  const filled = fillInput(input, new Map([[reference, 'value']])) as typeof input
  t.same(filled, { list: [1, 'value', { deep: 'value' }], other: { left: true }, none: null })
  t.equal(filled.other, input.other, 'only the way to a reference is copied')
  t.same(input.list[1], { $ref: 'a#/data' }, 'the input stays')
  t.equal(fillInput(reference, new Map([[reference, undefined]])), undefined)
  t.equal(fillInput(input, new Map()), input)
})

test('a field with the name of a prototype stays a field of the input', async t => {
  const input = JSON.parse('{"__proto__":{"$ref":"a#/data"},"constructor":{"$ref":"b#/data"}}') as Record<
    string,
    object
  >
  const references = Object.values(Object.getOwnPropertyDescriptors(input)).map(({ value }) => value as object)
  const filled = fillInput(input, new Map(references.map(object => [object, { polluted: true }]))) as object
  t.same(Object.keys(filled), ['__proto__', 'constructor'])
  t.equal(Object.getPrototypeOf(filled), Object.prototype)
  t.notOk('polluted' in {})
})

test('the cycles of needs are found: one path for each group that needs itself', async t => {
  t.same(cyclesOf([]), [])
  t.same(cyclesOf([[], [0], [0, 1], [2, 1]]), [])
  t.same(cyclesOf([[0]]), [[0]])
  t.same(cyclesOf([[1], [2], [0], [2]]), [[0, 1, 2]])
  t.same(cyclesOf([[1, 2], [0], [3], [2]]), [
    [2, 3],
    [0, 1],
  ])
  t.same(cyclesOf([[1], [2], [1]]), [[1, 2]], 'what needs a cycle is not in it')
  t.same(cyclesOf([[1], [0, 2], [1]]), [[0, 1]], 'of two cycles through one call, one is shown')
})

test('a chain of 1000 needs has no cycle, and its end can close one', async t => {
  const chain = Array.from({ length: 1000 }, (_, at) => (at === 0 ? [] : [at - 1]))
  t.same(cyclesOf(chain), [])
  t.equal(cyclesOf([[999], ...chain.slice(1)])[0]?.length, 1000)
})
