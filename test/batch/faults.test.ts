import { test } from 'tap'
import { z } from 'zod'
import { Faults } from '../../src/batch/faults.ts'
import { offerOf, type Offered } from '../../src/batch/offer.ts'
import { prepareFilled } from '../../src/batch/prepare-filled.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { specOfOperation } from '../../src/upstream/declared-specs.ts'

test('a list of faults that are added together ends after 100 of them', t => {
  const faults = new Faults()
  faults.add(...Array.from({ length: 150 }, (_, index) => ({ pointer: `/calls/${index}`, reason: 'must be a text' })))
  t.ok(faults.isFull)
  t.equal(faults.count, 101)
  t.equal(faults.reported.length, 100)
  t.end()
})

test('a large input with the values of its references is a request, or has its first fault', t => {
  const shop = defineUpstream(
    'shop',
    { origin: 'http://127.0.0.1:9' },
    {
      order: operation({
        path: '/orders',
        method: 'POST',
        body: z.object({ ids: z.array(z.int()) }),
        output: z.unknown(),
        batch: true,
      }),
    },
  )
  const spec = specOfOperation(shop.order)
  const offered = offerOf(spec === undefined ? [] : [spec], []).get('shop.order') as Offered
  const ids = Array.from({ length: 200 }, (_, index) => index)
  t.notOk(Array.isArray(prepareFilled(offered, { body: { ids } }, {})))
  const refused = prepareFilled(offered, { body: { ids: ids.map(String) } }, {})
  t.match(refused, [{ pointer: '/input/body/ids/0' }])
  t.equal((refused as readonly unknown[]).length, 1)
  t.end()
})
