import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'

const called: string[] = []
const ask = (id: string) => {
  called.push(id)
  return oracle.ask({ id })
}

const described = aggregate('steps', { url: '/steps' })
  .required('first', () => ask('first'))
  .optional('extra', () => ask('extra'), { fallback: 'none' })
  .each('many', () => [ask('1'), ask('2')], { minSuccess: 0, fallback: null })
  .each('some', () => [ask('3'), ask('4')], { minSuccess: 1, fallback: null })
  .firstOf('any', () => [ask('5'), ask('6')])
  .optional('late', ({ first }) => ask(String(first)), { fallback: 'never', needs: ['first'] })
  .required('last', ({ extra, late }) => [extra, late], { needs: ['extra', 'late'] })
  .reply(z.unknown(), ({ first, extra, many, some, any, late, last }) => ({
    first,
    extra,
    many,
    some,
    any,
    late,
    last,
  }))

test('a run that sheds answers its optional steps by their fallback, asks nothing for them, and runs the others', async t => {
  called.length = 0
  const runtime = answeringRuntime(path => path)
  const { data, complete, sources } = await fanOut(described, {}, { runtime, shedOptional: true })
  t.match(data, { extra: 'none', many: [], late: 'never', last: ['none', 'never'] })
  t.same(called, ['first', '3', '4', '5', '6'], 'functions of steps that are left out are not called')
  t.equal(complete, false)
  const shed = { state: 'fallback', code: 'SHED', attempts: 0 }
  t.match(sources, {
    first: { state: 'ok' },
    extra: shed,
    many: { ...shed, calls: 0, ok: 0, failed: [] },
    some: { state: 'ok' },
    any: { state: 'ok' },
    late: shed,
    last: { state: 'ok' },
  })
})

test('without it every step runs', async t => {
  for (const shedOptional of [undefined, false]) {
    called.length = 0
    const { complete } = await fanOut(described, {}, { runtime: answeringRuntime(path => path), shedOptional })
    t.equal(complete, true)
    t.equal(called.length, 9)
  }
})

test('shedding rescues no required step', async t => {
  const failing = answeringRuntime(() => {
    throw new TypeError('a bug')
  })
  const problem = await problemOf(fanOut(described, {}, { runtime: failing, shedOptional: true }))
  t.equal(problem.statusCode, 500)
})
