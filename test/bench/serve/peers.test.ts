import { test } from 'tap'
import { sameAsProduct } from './helpers/same-as-product.ts'
import { whyMissing } from './helpers/stage.ts'

for (const name of ['floor-request', 'floor-dispatch', 'fetch-zod', 'go', 'nginx']) {
  test(`${name} does what the service does`, { skip: await whyMissing(name) }, async t => sameAsProduct(t, name))
}
