import { test } from 'tap'
import type { Criticality } from '../../../src/fanout/route.ts'
import { PathIndex } from '../../../src/http/guard/path-index.ts'

const route = (name: string, url: string, criticality: Criticality, method = 'GET') => ({
  name,
  route: { url, method, criticality },
})

test('a path has the criticality of its aggregates, and the highest one if there are several', async t => {
  const index = new PathIndex()
  index.fill([
    route('low', '/v1/items', 'low'),
    route('post', '/v1/items', 'high', 'POST'),
    route('item', '/v1/items/{id}', 'low'),
    route('part', '/v1/items/{id}/parts', 'normal'),
    route('deep', '/v1/items/special/{id}', 'high'),
    route('user', '/v1/users/{id}:show', 'low'),
    route('own', '/docs/own', 'low'),
  ])
  const expected: readonly (readonly [string, Criticality | undefined, string | undefined])[] = [
    ['/v1/items', 'high', 'low'],
    ['/v1/items?id=/health/live', 'high', 'low'],
    ['/v1/items/7', 'normal', undefined],
    ['/v1/items/7/parts?x', 'normal', undefined],
    ['/v1/items/special/7', 'high', 'deep'],
    ['/v1/users/7:show', 'low', undefined],
    ['/docs/own', 'low', 'own'],
    ['/v1/%69tems', 'normal', undefined],
    ['/', undefined, undefined],
    ['/?x', undefined, undefined],
    ['/health/live', undefined, undefined],
    ['/healthy', 'normal', undefined],
    ['/metrics', undefined, undefined],
    ['/docs', undefined, undefined],
    ['/docs/explorer.js', undefined, undefined],
    ['/openapi.json?x', undefined, undefined],
    ['http://a/health/live', 'normal', undefined],
    ['*', 'normal', undefined],
    ['', 'normal', undefined],
  ]
  for (const [target, criticality, name] of expected) {
    const path = index.find(target)
    t.equal(path.criticality, criticality, target)
    t.equal(path.aggregates.get('GET')?.name, name, target)
  }
  t.equal(index.find('/v1/items').aggregates.get('POST')?.name, 'post')
})

test('the route of batches has a criticality of its own, beside a template that matches its path', async t => {
  const index = new PathIndex()
  index.fill([route('thing', '/v1/{thing}', 'high'), route('batch', '/v1/batch', 'low', 'POST')])
  t.equal(index.find('/v1/batch').aggregates.get('POST')?.name, 'batch')
  t.equal(index.find('/v1/batch').criticality, 'high', 'a GET of the path belongs to the template')
  const alone = new PathIndex()
  alone.fill([route('cats', '/v1/cats', 'high'), route('batch', '/v1/batch', 'low', 'POST')])
  t.equal(alone.find('/v1/batch').criticality, 'low')
})

test('before the aggregates are known every other path is normal', async t => {
  const index = new PathIndex()
  t.equal(index.find('/v1/items').criticality, 'normal')
  t.equal(index.find('/health/ready').criticality, undefined)
})

test('a path that the router can also match with a shorter prefix has the highest criticality', async t => {
  const index = new PathIndex()
  index.fill([
    route('order', '/v1/{shop}/orders/{id}', 'high'),
    route('item', '/v1/items/{id}', 'low'),
    route('best', '/v1/items/best', 'low'),
    route('change', '/v1/items/{id}', 'normal', 'POST'),
  ])
  const expected: readonly (readonly [string, Criticality | undefined, string | undefined])[] = [
    ['/v1/items/7', 'normal', 'item'],
    ['/v1/items/orders/7', 'high', undefined],
    ['/v1/items/7/unknown', 'high', undefined],
    ['/v1/shop/orders/7', 'high', undefined],
    ['/v1/items/best', 'normal', 'best'],
  ]
  for (const [target, criticality, name] of expected) {
    const path = index.find(target)
    t.equal(path.criticality, criticality, target)
    t.equal(path.aggregates.get('GET')?.name, name, target)
  }
})
