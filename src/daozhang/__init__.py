"""到账 (daozhang): take Alipay payments and never lose one."""
