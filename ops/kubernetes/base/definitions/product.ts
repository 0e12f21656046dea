// An example. Replace it by your definitions, and list each file in kustomization.yaml.
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const Product = z.object({ name: z.string() })
const Price = z.object({ cents: z.number() })
const params = z.object({ id: z.string() })

const catalogue = defineUpstream(
  'catalogue',
  { origin: 'http://catalogue.default.svc' },
  {
    product: operation({ path: '/products/{id}', params, output: Product }),
  },
)
const prices = defineUpstream(
  'prices',
  { origin: 'http://prices.default.svc' },
  {
    price: operation({ path: '/prices/{id}', params, output: Price }),
  },
)

export const product = aggregate('product', { url: '/v1/products/{id}', params, deadline: 800 })
  .required('product', ({ params: { id } }) => catalogue.product({ id }))
  .optional('price', ({ params: { id } }) => prices.price({ id }), { fallback: null })
  .reply(Product.extend({ price: Price.nullable() }), ({ product: found, price }) => ({ ...found, price }))
