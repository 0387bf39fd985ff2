chmod {{mode}} {{path}}
