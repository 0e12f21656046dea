export { openapiDocument, type OpenapiDocument, type OpenapiOptions } from './openapi/document.ts'
export { openapiYaml } from './openapi/yaml.ts'
