import './helpers/quick-build.ts'
import t from 'tap'
import { sameAsProduct } from './helpers/same-as-serve.ts'
import { whyMissing } from './helpers/stage.ts'

// Its crates are compiled at the first time.
t.setTimeout(600_000)

for (const name of ['rust', 'rust-pipelining'])
  t.test(`${name} does what the service does`, { skip: await whyMissing(name), timeout: 600_000 }, async test =>
    sameAsProduct(test, name),
  )
