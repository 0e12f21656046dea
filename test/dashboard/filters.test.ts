import { test } from 'tap'
import {
  countFilters,
  filterStates,
  keptRunsPath,
  namedRunsPaths,
  noFilters,
  passes,
  readFilters,
  readRun,
  withFilters,
  withRun,
  type RunFilters,
} from '../../src/dashboard/model/filters.ts'
import { readRunFilter } from '../../src/admin/run-filter.ts'
import { readPosition } from '../../src/kept/select-runs.ts'
import { runRow } from '../helpers/kept-run.ts'

const all: RunFilters = {
  states: ['failed', 'slow'],
  aggregate: 'cat-facts',
  upstream: 'meowfacts',
  min: 250,
  text: 'req-8 & "ä"',
}

test('filters survive a reload, because the query of the page has them', async t => {
  t.equal(
    withFilters('', all),
    '?state=failed,slow&aggregate=cat-facts&upstream=meowfacts&min=250&text=req-8+%26+%22%C3%A4%22',
  )
  t.same(readFilters(withFilters('', all)), all)
  t.same(readFilters(''), noFilters)
  t.equal(withFilters('', noFilters), '')
})

test('a filter changes its own parameters of the query only', async t => {
  t.equal(withFilters('?run=7e1a&theme=dark&state=failed', noFilters), '?run=7e1a&theme=dark')
  t.equal(withRun('?state=failed,partial', '7e1a'), '?state=failed,partial&run=7e1a')
  t.equal(withRun('?state=failed&run=7e1a', undefined), '?state=failed')
  t.equal(readRun('?state=failed&run=7e1a'), '7e1a')
  t.equal(readRun('?state=failed'), undefined)
  t.equal(readRun('?run='), undefined)
})

test('a value of the query that is not a state or a duration filters nothing', async t => {
  for (const search of [
    '?state=toString,__proto__,FAILED',
    '?min=NaN',
    '?min=-1',
    '?min=1e99',
    '?min=x',
    '?state=&min=',
  ])
    t.same(readFilters(search), noFilters, search)
  t.same(readFilters('?state=complete,x,failed,failed').states, ['failed', 'complete'], 'in the order of the buttons')
})

test('a run passes if it has one of the states and meets every other filter', async t => {
  const row = runRow({ state: 'partial', ms: 250, upstreams: ['meowfacts', 'http-cat'], isSlow: false })
  const isShown = (filters: Partial<RunFilters>, changed = row) => passes({ ...noFilters, ...filters }, changed)
  t.ok(isShown({}))
  t.ok(isShown({ states: ['failed', 'partial'] }))
  t.notOk(isShown({ states: ['failed', 'slow'] }))
  t.ok(isShown({ states: ['slow'] }, { ...row, isSlow: true }))
  t.ok(isShown({ aggregate: row.aggregate }))
  t.notOk(isShown({ aggregate: 'breed' }))
  t.ok(isShown({ upstream: 'http-cat' }))
  t.notOk(isShown({ upstream: 'http' }))
  t.ok(isShown({ min: 250 }))
  t.notOk(isShown({ min: 250.1 }))
})

test('a text finds a run by a part of its ids, its aggregate, its codes and its lost steps', async t => {
  const row = runRow({
    id: '7e1a0000-0000-4000-8000-000000000001',
    requestId: 'Req-8',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    aggregate: 'cat-facts',
    code: 'UPSTREAM_BUSY',
    lost: [{ step: 'meow', code: 'DEADLINE_EXCEEDED' }],
  })
  for (const text of ['7e1a', 'req-8', ' 0af7 ', 'CAT', 'busy', 'meow', 'deadline']) {
    t.ok(passes({ ...noFilters, text }, row), text)
  }
  for (const text of ['7e1b', 'null', 'req-9']) t.notOk(passes({ ...noFilters, text }, row), text)
  t.notOk(passes({ ...noFilters, text: 'null' }, runRow({ requestId: null, traceId: null, code: null })))
})

test('the number of filters is that of the fields that are set', async t => {
  t.equal(countFilters(noFilters), 0)
  t.equal(countFilters({ ...noFilters, states: [...filterStates], text: ' ' }), 1)
  t.equal(countFilters(all), 5)
})

test('kept runs are requested with the filters that the service has', async t => {
  const row = runRow({ id: '7e1a', at: '2026-11-30T01:02:03.004Z' })
  t.equal(
    keptRunsPath({ ...all, states: ['failed', 'partial'], min: 250.7 }, 200, row),
    '/requests?state=failed,partial&aggregate=cat-facts&upstream=meowfacts&min=250&before=1796000523004_7e1a&limit=200',
  )
  t.equal(keptRunsPath({ ...noFilters, states: ['failed', 'slow'], min: 0.5, text: 'x' }, 100), '/requests?limit=100')
  t.equal(keptRunsPath(noFilters, 100, '17_x'), '/requests?before=17_x&limit=100')
})

test('the service takes each path of kept runs, and its position of a run is that of the page', async t => {
  const row = runRow()
  for (const filters of [all, noFilters, { ...all, states: filterStates, min: 0.3 }, { ...all, min: 86_400_000 }]) {
    for (const path of [keptRunsPath(filters, 200, row), ...namedRunsPaths(filters, 20)]) {
      const filter = readRunFilter(Object.fromEntries(new URL(path, 'http://localhost').searchParams))
      t.equal(filter.aggregate ?? '', filters.aggregate, path)
    }
  }
  const before = new URL(keptRunsPath(noFilters, 1, row), 'http://localhost').searchParams.get('before') ?? ''
  t.same(readPosition(before), { startedAt: Date.parse(row.at), id: row.id })
})

test('a text is also looked for as the id of a request, of a run or of a trace', async t => {
  t.same(namedRunsPaths({ ...noFilters, text: ' ' }, 20), [])
  t.same(namedRunsPaths({ ...noFilters, text: ' Req-8 ', aggregate: 'breed' }, 20), [
    '/requests?aggregate=breed&request=Req-8&limit=20',
    '/requests?aggregate=breed&trace=req-8&limit=20',
  ])
})
