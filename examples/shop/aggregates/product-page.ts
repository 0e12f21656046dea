import { aggregate, refuse } from 'headwaters'
import { z } from 'zod'
import { shop } from '../upstreams/shop.ts'

const Cents = z.int().nullable()
const ProductPage = z.object({
  id: z.string(),
  name: z.string(),
  text: z.string(),
  cents: Cents,
  stock: z.int().nullable(),
  recommendations: z.array(z.object({ id: z.string(), name: z.string(), cents: Cents })),
})
const Unknown = z.object({ code: z.literal('PRODUCT_UNKNOWN') }).describe('The shop has no such product.')

/** A product with its price, its stock, and recommendations with their prices. Only the product is required. */
export const productPage = aggregate('product-page', {
  url: '/v1/products/{id}',
  params: z.object({ id: z.string().min(1) }),
  problems: { 404: Unknown },
  deadline: 1000,
})
  .required('product', async ({ params, ask }) => {
    const product = await ask(shop.product(params))
    return product ?? refuse(404, 'The shop has no such product.', { code: 'PRODUCT_UNKNOWN' })
  })
  .optional('price', ({ params }) => shop.price(params.id), { fallback: null })
  .optional('stock', ({ params }) => shop.stock(params), { fallback: null })
  .optional('recommendations', ({ params }) => shop.recommendations(params), { fallback: [] })
  .each('prices', ({ recommendations }) => recommendations.map(({ id }) => shop.price(id)), {
    needs: ['recommendations'],
    minSuccess: 0,
    fallback: null,
  })
  .reply(ProductPage, ({ product, price, stock, recommendations, prices }) => ({
    ...product,
    cents: price,
    stock: stock?.count ?? null,
    recommendations: recommendations.map((each, index) => ({ ...each, cents: prices[index] ?? null })),
  }))
