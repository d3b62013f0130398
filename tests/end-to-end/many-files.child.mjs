// Classifies a folder's pictures; prints how many were answered, how many could not be read, and the peak of resident memory in megabytes.
// usage: node many-files.child.mjs DIST MODEL FOLDER VIEWS
const [dist, model, folder, views] = process.argv.slice(2);
const { classifyFiles, loadClassifier, pictureFiles } = await import(`${dist}/index.js`);
const classifier = await loadClassifier(model);
const counts = { answered: 0, failed: 0, inOrder: true };
let last = "";
for await (const { file, error } of classifyFiles(classifier, pictureFiles([folder]), { views, top: 1 })) {
  counts[error ? "failed" : "answered"]++;
  counts.inOrder &&= file > last;
  last = file;
}
await classifier.dispose();
console.log(JSON.stringify({ ...counts, megabytes: process.resourceUsage().maxRSS / 1e3 }));
