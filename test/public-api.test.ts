import { test } from 'tap'
import * as client from '../src/client/index.ts'
import * as api from '../src/index.ts'
import * as redis from '../src/redis/index.ts'
import * as testing from '../src/testing/index.ts'

test('the package gives out these names and no others', async t => {
  t.same(Object.keys(api).sort(), [
    'Problem',
    'UpstreamError',
    'aggregate',
    'byCursor',
    'byLink',
    'byOffset',
    'chain',
    'createMemoryStore',
    'createRuntime',
    'defineUpstream',
    'env',
    'errors',
    'fanOut',
    'headwaters',
    'offload',
    'operation',
    'refuse',
    'skip',
    'times',
    'withContext',
  ])
})

test('the test kit gives out these names and no others', async t => {
  t.same(Object.keys(testing).sort(), ['runAggregate', 'scriptedUpstream'])
})

test('the client gives out these names and no others', async t => {
  t.same(Object.keys(client).sort(), ['StreamCut', 'StreamProblem', 'openStream'])
})

test('the state on Redis gives out this name and no other', async t => {
  t.same(Object.keys(redis), ['redisState'])
})

test('every name that is given out has a value', async t => {
  for (const [name, value] of Object.entries(api)) t.not(value, undefined, name)
})
