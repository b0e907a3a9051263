// Derives what JSON of a dashboard may hold from the types that Grafana publishes, and writes it as one file.
//   node derive.mjs PACKAGE-FOLDER OUTPUT
import { createGenerator } from "ts-json-schema-generator";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [folder, output] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const raw = [resolve(folder, "dist/types/raw"), resolve(folder, "dist/esm/raw")].find(existsSync);
const kinds = ["timeseries", "stat", "table", "bargauge", "statetimeline", "text"];
const types = (path) => {
  const file = readdirSync(join(raw, path)).find((name) => name.endsWith("types.gen.d.ts"));
  return join(raw, path, file).replace(/\.d\.ts$/, "");
};
const parts = { Dashboard: [types("dashboard/x"), "Dashboard"], Panel: [types("dashboard/x"), "Panel"] };
parts.Row = [types("dashboard/x"), "RowPanel"];
// Later packages leave the data sources out.
if (existsSync(join(raw, "composable/prometheus/dataquery/x"))) {
  parts.Target = [types("composable/prometheus/dataquery/x"), "PrometheusDataQuery"];
}
for (const kind of kinds) {
  parts[`${kind}.options`] = [types(`composable/${kind}/panelcfg/x`), "Options"];
  parts[`${kind}.custom`] = [types(`composable/${kind}/panelcfg/x`), "FieldConfig"];
}
// Defaulted fields are mandatory in the types, so `required` says nothing; texts and defaults do not decide.
const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([key, inner]) => {
    const isText = ["description", "default", "$comment", "examples", "$schema", "$id"].includes(key) && typeof inner !== "object";
    return !isText && !(key === "required" && Array.isArray(inner)) && !(key === "default" || key === "$schema");
  });
  return Object.fromEntries(kept.map(([key, inner]) => [key, plain(inner)]));
};
const schemas = {};
for (const [name, [path, wanted]] of Object.entries(parts)) {
  const source = readFileSync(`${path}.d.ts`, "utf8");
  if (!new RegExp(`export (?:interface|type) ${wanted}\\b`).test(source)) continue;
  const settings = { path: `${path}.d.ts`, type: wanted, skipTypeCheck: true, additionalProperties: false };
  schemas[name] = plain(createGenerator(settings).createSchema(wanted));
}
writeFileSync(output, `${JSON.stringify({ from: `@grafana/schema ${version}, Apache-2.0`, schemas })}\n`);
console.log(Object.keys(schemas).join(" "));
