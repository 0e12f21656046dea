import t from 'tap'
import { sameAsProduct } from './helpers/same-as-serve.ts'
import { whyMissing } from './helpers/stage.ts'

// Each starts three processes.
const timeout = 120_000
t.setTimeout(5 * timeout)

for (const name of ['floor-request', 'floor-dispatch', 'fetch-zod', 'go', 'nginx']) {
  t.test(`${name} does what the service does`, { skip: await whyMissing(name), timeout }, async test =>
    sameAsProduct(test, name),
  )
}
